// Token providers in the wild: what is unambiguous is taken, and what is not is described without
// its values.
import { describe, expect, test } from 'vitest';
import { statusOf, tokenOf } from '../../js/token/answer.js';
import { readAnswer, readError } from '../../js/token/normalize.js';
import { noToken } from '../../js/token/received.js';

describe('the answer', () => {
  test.each([
    ['a text', 'T', { token: 'T' }],
    ['an object', { token: 'T', expires_in: 60, user: 'ada' }, { token: 'T', expires_in: 60, user: 'ada' }],
    ['seconds as digits', { token: 'T', expires_in: '60' }, { token: 'T', expires_in: 60 }],
    ['the name of OAuth 2.0', { access_token: 'T', token_type: 'Bearer' }, { token: 'T' }],
    ['no lifetime', { token: 'T', expires_in: null }, { token: 'T' }],
  ])('%s', (_, answer, read) => {
    expect(readAnswer(answer)).toEqual(read);
  });

  test.each([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an empty text', '', "''"],
    ['a number', 7, 'number'],
    ['other names', { jwt: 'hush', data: {} }, '{ jwt: string, data: object }'],
    ['a lifetime that is none', { token: 'hush', expires_in: 'soon' }, '{ token: string, expires_in: string }'],
    ['a lifetime that is over', { token: 'hush', expires_in: 0 }, '{ token: string, expires_in: number }'],
    ['a token that is no text', { token: { value: 'hush' } }, '{ token: object }'],
    ['the answer of fetch', new Response('hush'), 'a Response, so return `response.json()`'],
  ])('%s is described, and never by a value', (_, answer, received) => {
    const error = readAnswer(answer) as unknown as Error;
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`no token: received ${received}`);
  });

  test('names are cut, and so is their list: a token may be a name', () => {
    const { message } = noToken(
      Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`${i}${'x'.repeat(999)}`, 1])),
    );
    expect(message.length).toBeLessThan(500);
  });

  test('what cannot be read is no token', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(tokenOf(hostile)).toBeUndefined();
    expect(statusOf(hostile)).toBeUndefined();
  });
});

describe('the status of an error', () => {
  test.each([
    ['its own', { status: 401 }],
    ['axios and ky', { response: { status: 401 } }],
    ['ofetch', { statusCode: 401 }],
    ['tRPC', { data: { httpStatus: 401, code: 'UNAUTHORIZED' } }],
    ['its cause', { cause: { status: 401 } }],
  ])('%s', (_, fields) => {
    expect(statusOf(Object.assign(new Error('refused'), fields))).toBe(401);
  });

  test.each([
    ['none', new Error('no network')],
    ['a text', 'refused'],
    ['nothing', undefined],
    ['a code that is no HTTP status', { status: 2 }],
    ['a word', { status: 'error' }],
  ])('%s', (_, thrown) => {
    expect(statusOf(thrown)).toBeUndefined();
  });

  test('an error that has it already is passed on as it is; another one becomes the cause', () => {
    const plain = Object.assign(new Error('a'), { status: 403 });
    expect(readError(plain)).toBe(plain);
    const deep = Object.assign(new Error('b'), { response: { status: 403 } });
    expect(readError(deep)).toMatchObject({ status: 403, message: 'b', cause: deep });
  });
});
