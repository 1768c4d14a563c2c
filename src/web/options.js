// The options of the shipped build, checked. The other one has serde do it.

const isText = (value) => typeof value === 'string';
const whole = 'a whole number, not negative';
const flag = ['a boolean', (value) => typeof value === 'boolean'];
const string = ['a string', isText];
// Of 32 bits, as core's numbers are.
const number = [whole, (value) => value >>> 0 === value];

/** What each is to be, and how that is seen. */
const KINDS = {
  url: ['the address of the stream', (value) => value && isText(value)],
  token: ['a function', (value) => typeof value === 'function'],
  transport: ["'eventsource' or 'fetch'", isText],
  types: ['a list of strings', (value) => Array.isArray(value) && value.every(isText)],
  user: string,
  lastEventId: string,
  cursorUser: string,
  withCredentials: flag,
  pauseWhenHidden: flag,
  share: flag,
  coalesceMs: number,
  heartbeatTimeout: number,
  connectTimeout: number,
  tokenTimeout: number,
  maxRefusals: number,
  eventLimit: number,
  seed: number,
};

/** The options that are given, which `null` and `undefined` are not, or a text that names the one that is wrong. */
export function read(given, fetch) {
  if (typeof given !== 'object' || !given) return 'the options are no object';
  // Where jitter begins, if the application does not set it.
  const options = { seed: Math.random() * 2 ** 32 };
  for (const name of ['url', ...Object.keys(given)]) {
    let value;
    try {
      value = given[name];
    } catch {}
    if (name !== 'url' && value == null) continue;
    const [expected, is] = Object.hasOwn(KINDS, name) ? KINDS[name] : [];
    if (!is) return `option \`${name}\`: there is no such option`;
    if (!is(value) || (name === 'transport' && value !== 'eventsource' && !(fetch && value === 'fetch'))) {
      return `option \`${name}\`: expected ${expected}`;
    }
    options[name] = value;
  }
  return options;
}

/** An option as a number: 1 for a function and for true. */
export const count = (options, name, usual) => {
  const value = options[name] ?? usual;
  return typeof value === 'function' ? 1 : Number(value);
};

export const given = (options, name) => options[name] !== undefined;

export const text = (options, name) => options[name] ?? '';
