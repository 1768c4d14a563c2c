declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Reply extends ServerResponse {
    set(headers: Record<string, string>): this;
  }
  interface App {
    (request: IncomingMessage, response: ServerResponse): void;
    get(path: string, handler: (request: IncomingMessage, response: Reply) => void): this;
  }
  export default function express(): App;
}
