// The app with tinysse and its defaults.
import { createClient } from 'tinysse';
import { start, token } from './live.js';

start(createClient({ url: '/events', token }));
