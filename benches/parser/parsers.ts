// Bytes in, events counted: parsers alone, without streams or promises. Ours are the pieces of core, as wasm.
import { getLines, getMessages } from '@microsoft/fetch-event-source/lib/esm/parse';
import { createParser } from 'eventsource-parser';
import type { Workload } from './workload.mjs';

/** Runs through a workload once. Answers how many events it saw, or handed out. */
export type Parse = (workload: Workload) => number;

interface Core {
  memory: WebAssembly.Memory;
  input(): number;
  decoder(): void;
  decode(length: number): number;
  client(subscribed: number, coalesce: number): void;
  bytes(length: number, now: number): number;
}

export async function parsers(): Promise<Record<string, Parse>> {
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/bench.wasm'));
  const core = instance.exports as unknown as Core;

  /** Puts each chunk into the wasm memory, as a shell does. */
  const feed = ({ chunks }: Workload, take: (length: number) => number): number => {
    const at = core.input();
    let memory = new Uint8Array(core.memory.buffer);
    let events = 0;
    for (const chunk of chunks) {
      if (memory.length === 0) memory = new Uint8Array(core.memory.buffer); // it grew
      memory.set(chunk, at);
      events += take(chunk.length);
    }
    return events;
  };
  const client = (subscribed: boolean, coalesce: number): Parse => {
    return (workload) => {
      core.client(Number(subscribed), coalesce);
      return feed(workload, (length) => core.bytes(length, performance.now()));
    };
  };

  return {
    'eventsource-parser': ({ chunks }) => {
      let events = 0;
      const decoder = new TextDecoder();
      const parser = createParser({ onEvent: () => events++ });
      for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
      return events;
    },
    'fetch-event-source': ({ chunks }) => {
      let events = 0;
      const nothing = () => {};
      const lines = getLines(getMessages(nothing, nothing, () => events++));
      for (const chunk of chunks) lines(chunk);
      return events;
    },
    'our decoder': (workload) => {
      core.decoder();
      return feed(workload, core.decode);
    },
    'our client': client(true, 0),
    'our client, coalesced': client(true, 50),
    'our client, nobody subscribed': client(false, 0),
  };
}
