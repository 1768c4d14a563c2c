// What token providers answer and throw in the wild. Shared by the client and
// `tinysse/eventsource`.

/** Returns a property of anything; `undefined` if it cannot be read. */
export const peek = (object: unknown, name: string): unknown => {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
};

/**
 * Returns the token in the answer of a token provider: the answer itself, `token`, or
 * `access_token` (RFC 6749 §5.1). Names whose meaning depends on the library are not guessed.
 */
export function tokenOf(answer: unknown): string | undefined {
  const token = peek(answer, 'token') ?? peek(answer, 'access_token') ?? answer;
  return typeof token === 'string' && token ? token : undefined;
}

/**
 * Returns the HTTP status that an error of a token provider carries, wherever its library puts it:
 * `status` (Angular, superagent), `statusCode` (ofetch), `response.status` (axios, ky),
 * `data.httpStatus` (tRPC), or the same on its `cause`.
 */
export function statusOf(thrown: unknown): number | undefined {
  for (const place of [thrown, ...['response', 'data', 'cause'].map((name) => peek(thrown, name))]) {
    for (const name of ['status', 'statusCode', 'httpStatus']) {
      const status = peek(place, name) as number;
      if (status >= 400 && status < 600) return +status;
    }
  }
  return undefined;
}
