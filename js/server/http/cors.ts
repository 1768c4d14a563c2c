// Which origins may read answers, with cookies (Fetch standard, CORS protocol).

const ALLOWED_METHODS = 'GET,POST,PATCH,DELETE';
const ALLOWED_HEADERS = 'authorization,content-type,cache-control,last-event-id,x-tinysse-origin,idempotency-key';
const EXPOSED_HEADERS = 'retry-after,tinysse-cursor,tinysse-wire';
const VARY = 'origin, access-control-request-method, access-control-request-headers';

/** The headers that an answer has for a request of this origin. */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Record<string, string> {
  if (origins.length === 0) return {};
  if (!origin || !origins.includes(origin)) return { vary: VARY };
  return {
    vary: VARY,
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': EXPOSED_HEADERS,
  };
}

/** What the answer to a preflight has besides. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': ALLOWED_METHODS,
  'access-control-allow-headers': ALLOWED_HEADERS,
  'access-control-max-age': '600',
};
