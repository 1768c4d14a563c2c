// The entry of the packaging test without a framework.
import { open } from './open.js';

open({ url: '/events' });
