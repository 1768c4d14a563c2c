// Runs the cases wherever it is loaded: a window calls `runCases`, a worker gets a message.
import type { EventSource as Ours } from '../../../js/eventsource/index';
import { beyond } from './cases/beyond';
import { connection } from './cases/connection';
import { format } from './cases/format';
import { shape } from './cases/shape';
import { token } from './cases/token';
import { type Case, Kit, type Place } from './kit';

export interface Result {
  name: string;
  error?: string;
}

const all: Case[] = [...shape, ...format, ...connection, ...beyond, ...token];
/** Fewer than the connections that a browser grants an origin. */
const atOnce = 5;

const scope = globalThis as unknown as {
  EventSource: typeof Ours;
  tinysse: { EventSource: typeof Ours };
  /** All that can be run there, but those of which the name matches. */
  runCases(place: Place, except?: string): Promise<Result[]>;
  onmessage: ((event: MessageEvent) => void) | null;
  onconnect: ((event: MessageEvent) => void) | null;
};

scope.runCases = async (place, except) => {
  const Source = place.native ? scope.EventSource : scope.tinysse.EventSource;
  const left = except ? all.filter(({ name }) => !new RegExp(except).test(name)) : all;
  const cases = left.filter(({ ours, only }) => !(ours && place.native) && (!only || only === place.context));
  const results: Result[] = [];
  const lane = async () => {
    for (let one = cases.shift(); one; one = cases.shift()) {
      const kit = new Kit(place, Source);
      const result: Result = { name: one.name };
      results.push(result);
      try {
        await one.run(kit);
      } catch (error) {
        result.error = String(error);
      }
      kit.end();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
};

const answer = async ({ data, ports }: MessageEvent) => {
  ports[0]?.postMessage(await scope.runCases(data));
};
if (!('document' in globalThis)) {
  scope.onmessage = answer;
  scope.onconnect = ({ ports }) => {
    for (const port of ports) port.onmessage = answer;
  };
}
