// Loaded for a plain server on the native transport.

/**
 * Warns of subscriptions that receive nothing. Call it once per client, when a stream without
 * `tinysse.hello` is open on the native transport: there the browser delivers only events whose
 * names were asked for, and a pattern names none.
 *
 * ```ts
 * warnOfPatterns(['projects', 'compute.*'], 'https://app.example/events'); // warns of compute.*
 * ```
 */
export function warnOfPatterns(types: Iterable<string>, url: string): void {
  const patterns = [...new Set(types)].filter((type) => type.endsWith('*'));
  if (patterns.length === 0) return;
  console.warn(
    `tinysse: ${patterns.map((pattern) => `'${pattern}'`).join(', ')} cannot be received: ${url} is a plain server of ` +
      "server-sent events, and the browser's EventSource delivers only events whose names were asked for. Subscribe to each " +
      "name, or create the client with transport: 'fetch'.",
  );
}
