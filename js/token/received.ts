// The description of a token provider's answer that holds no token.
import { peek } from './answer.js';

/**
 * Describes a value by its type, and an object by the names and types of its properties: never by a
 * value.
 */
function shapeOf(value: unknown): string {
  if (peek(value, 'json')) return 'a Response, so return `response.json()`';
  if (!value || typeof value !== 'object') return value === '' ? "''" : `${value && typeof value}`;
  const properties = Object.keys(value).map((name) => `${name.slice(0, 32)}: ${typeof peek(value, name)}`);
  return `{ ${properties.slice(0, 9).join(', ')} }`;
}

/** Returns the error for an answer that is no token. Its message lists what was received. */
export const noToken = (answer: unknown): TypeError => new TypeError(`no token: received ${shapeOf(answer)}`);
