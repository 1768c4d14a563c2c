// How an EventSource classifies a response: HTML §9.2.2, and a token that may be renewed.
import { expect, test } from 'vitest';
import { classifyResponse } from '../../../js/eventsource/request.js';

const stream = 'text/event-stream';

function classify(status: number, type: string | undefined, renewable: boolean): string {
  const body = status === 204 ? null : '';
  const end = classifyResponse(
    new Response(body, { status, headers: type ? { 'content-type': type } : {} }),
    renewable,
  );
  if (!end) return 'stream';
  const { code, status: reported, retryable } = end.error;
  return [end.fatal ? 'closes' : 'reconnects', code, reported, retryable ? 'retryable' : ''].join(' ').trim();
}

test.each([
  [200, stream, 'stream'],
  [200, 'Text/Event-Stream ; charset=utf-8', 'stream'],
  [200, 'text/event-streams', 'closes http 200'],
  [200, 'text/html', 'closes http 200'],
  [204, stream, 'closes http 204'],
  [401, stream, 'closes unauthorized 401'],
  [403, stream, 'closes http 403'],
  [404, undefined, 'closes http 404'],
  [429, stream, 'closes http 429'],
  [503, stream, 'closes http 503'],
])('%i %s: %s', (status, type, expected) => {
  expect(classify(status, type, false)).toBe(expected);
});

test('a refused token that may be renewed is not the end', () => {
  expect(classify(401, stream, true)).toBe('reconnects unauthorized 401 retryable');
  expect(classify(403, stream, true)).toBe('closes http 403');
});
