declare module 'event-source-polyfill' {
  export const EventSourcePolyfill: unknown;
}
