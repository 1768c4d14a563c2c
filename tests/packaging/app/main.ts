import { open } from './open.js';

open({ url: '/events' });
