// What carries the bytes of a stream: a response of node:http, or a stream of the web platform.

/** Carries the bytes of one stream. */
export interface Sink {
  /** Reports to a stream from now on. */
  attach(events: SinkEvents): void;
  /** Takes bytes. Returns false if the connection takes no more for now. */
  write(bytes: Uint8Array): boolean;
  /** Ends the response. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

/** What a sink reports. */
export interface SinkEvents {
  /** The connection takes bytes again. */
  drained(): void;
  /** The connection ended. */
  closed(): void;
}
