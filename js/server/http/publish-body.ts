// The body of `POST /publish` (docs/PROTOCOL.md, 13.1).
import type { UpdateFields } from '../hub/instance.js';
import { type RawMember, rawMembers } from './raw-json.js';
import { refuse } from './reply.js';

/** Updates in one request. */
const MAX_ITEMS = 1_000;

const MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: isText,
  data: () => true,
  key: isTextOrNull,
  to: (value) => isTextOrNull(value) || isTexts(value),
  origin: isTextOrNull,
  except: isTextOrNull,
};

/** What a publisher asks for: updates, or the announcement that some were lost. */
export type PublishBody = { readonly updates: readonly UpdateFields[] } | { readonly resync: readonly string[] | null };

/** Reads a body. Throws `bad_json` and `too_many`; the hub judges the rest. */
export function readPublish(body: Uint8Array, at: number): PublishBody {
  const { value, text } = read(body);
  if (isObject(value) && 'resync' in value) return readResync(value);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length < 1 || items.length > MAX_ITEMS) {
    throw refuse(400, 'too_many', `1 to ${MAX_ITEMS} updates in one request`);
  }
  if (!items.every(isObject)) throw refuse(400, 'bad_json', 'an update is an object');
  const raw = rawMembers(text);
  return { updates: items.map((item, n) => readItem(item, raw[n] ?? [], at)) };
}

/** Parses JSON in UTF-8, behind a byte order mark if there is one. Throws `bad_json`. */
export function parse(body: Uint8Array): unknown {
  return read(body).value;
}

function read(body: Uint8Array): { value: unknown; text: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { value: JSON.parse(text), text };
  } catch (error) {
    throw refuse(400, 'bad_json', (error as Error).message);
  }
}

/** True for what JSON calls an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readResync(value: Record<string, unknown>): PublishBody {
  const { resync, ...rest } = value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw refuse(400, 'bad_json', `unknown member \`${unknown}\` beside \`resync\``);
  if (resync === null) return { resync };
  if (!isTexts(resync)) throw refuse(400, 'bad_json', '`resync` is a list of types, or null for all');
  if (resync.length < 1 || resync.length > MAX_ITEMS) {
    throw refuse(400, 'too_many', `1 to ${MAX_ITEMS} types, or null for all`);
  }
  return { resync };
}

function readItem(item: Record<string, unknown>, raw: readonly RawMember[], at: number): UpdateFields {
  if (!('type' in item)) throw refuse(400, 'bad_json', 'an update has a `type`');
  for (const [name, value] of Object.entries(item)) {
    const takes = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
    if (!takes) throw refuse(400, 'bad_json', `unknown member \`${name}\``);
    if (!takes(value)) throw refuse(400, 'bad_json', `\`${name}\` has another type`);
  }
  if (new Set(raw.map(({ name }) => name)).size < raw.length) throw refuse(400, 'bad_json', 'each member once');
  const data = raw.find(({ name }) => name === 'data')?.value;
  const { type, key, to, origin, except } = item as {
    type: string;
    key?: string | null;
    to?: string | string[] | null;
    origin?: string | null;
    except?: string | null;
  };
  return {
    type,
    // Passed on as it was written: numbers keep their digits.
    data: data === 'null' ? undefined : data,
    key: key ?? undefined,
    to: typeof to === 'string' ? [to] : (to ?? undefined),
    origin: origin ?? undefined,
    except: except ?? undefined,
    at,
  };
}

/** A half of a surrogate pair has no form in UTF-8. */
const LONE = /\p{Surrogate}/u;

function isText(value: unknown): value is string {
  return typeof value === 'string' && !LONE.test(value);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || isText(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
