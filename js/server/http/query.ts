// The query of `GET /events` (docs/PROTOCOL.md, 4.1).
import { PARAMETERS } from '../../model/vocabulary.js';
import { refuse } from './reply.js';

/** What a request for a stream asks for. */
export interface EventsQuery {
  readonly token?: string | undefined;
  readonly lastEventId?: string | undefined;
  /** Names and patterns, separated by commas. */
  readonly types?: string | undefined;
  readonly wire?: string | undefined;
}

/**
 * Reads a query; what it has besides is not the hub's. Throws `bad_query` and `bad_wire`. Neither
 * quotes the query: it may hold a token.
 */
export function readQuery(query: string): EventsQuery {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!(PARAMETERS as readonly string[]).includes(name)) continue;
    if (name in found) throw refuse(400, 'bad_query', 'each parameter once');
    found[name] = value;
  }
  if (found.wire !== undefined && found.wire !== '' && found.wire !== 'native') {
    throw refuse(400, 'bad_wire', '`wire` is `native`, or left out');
  }
  return found;
}
