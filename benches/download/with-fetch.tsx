// The app with tinysse over `fetch`.
import { createClient } from 'tinysse';
import { start, token } from './live.js';

start(createClient({ url: '/events', token, transport: 'fetch' }));
