// A classic script, for where there are no modules: `importScripts('eventsource/classic.js')` in a
// service worker. The build makes one file of it.
import { EventSource } from './source.js';

const scope = globalThis as { EventSource?: unknown; tinysse?: Record<string, unknown> };
scope.tinysse = {
  ...scope.tinysse,
  EventSource,
  /** Replaces the browser's own class, or adds it where it is missing. */
  install() {
    scope.EventSource = EventSource;
  },
};
