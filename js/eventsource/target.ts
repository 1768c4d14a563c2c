// The types of the listeners of the class.
import type { EventSourceErrorEvent } from './event.js';

/** The events that the source itself makes; those of a stream are `MessageEvent`s of any type. */
interface Events {
  open: Event;
  message: MessageEvent<string>;
  error: EventSourceErrorEvent;
}

/** `EventTarget` with the events of a source. */
export interface Target extends EventTarget {
  addEventListener<K extends keyof Events>(
    type: K,
    listener: (event: Events[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: ((event: MessageEvent<string>) => void) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    // biome-ignore lint/suspicious/noExplicitAny: whatever was added may be removed
    listener: ((event: any) => void) | EventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
