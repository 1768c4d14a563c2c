// The entry `tinysse/eventsource`: a drop-in EventSource class.
export type { ErrorEventInit } from './event.js';
export { EventSourceErrorEvent } from './event.js';
export { EventSource } from './source.js';
export type {
  EventSourceInit,
  EventSourceToken,
  EventSourceTokenAnswer,
  EventSourceTokenAsk,
} from './types.js';
