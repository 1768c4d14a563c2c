// What can be seen of an update before it is sent; the server judges the rest. The rules and the
// codes are those of the hub.
import { HubError } from '../errors.js';
import { fieldsOf } from '../hub/updates.js';
import { subjectFault } from '../tokens/names.js';
import type { NotifyOptions } from '../types.js';

const TYPE = /^[A-Za-z0-9._:-]{1,128}$/;
const MAX_NAME = 255;
const MAX_AUDIENCES = 100;
/** Bytes of an update: with the brackets around it, the longest body that the server takes. */
const MAX_UPDATE = (1 << 20) - 2;
/** Half of a pair of surrogates, which has no form in UTF-8. */
const LONE = /\p{Surrogate}/u;
const utf8 = new TextEncoder();

/** An update as the server takes it. */
export interface UpdateJson {
  readonly json: string;
  /** Its length in UTF-8. */
  readonly bytes: number;
}

/**
 * Returns an update as the JSON that the server takes. Throws a {@link HubError} for a wrong one.
 */
export function jsonOfUpdate(type: string, options: NotifyOptions): UpdateJson {
  if (typeof type !== 'string' || !TYPE.test(type)) {
    throw refused('bad_type', 'a type has 1 to 128 characters of A-Z a-z 0-9 . _ : -');
  }
  if (type.startsWith('tinysse.')) throw refused('reserved_type', "types below `tinysse.` are the hub's own");
  const { data, to, key, origin, except } = fieldsOf(type, options, 0);
  for (const [name, text] of Object.entries({ key, origin, except })) {
    if (text === undefined) continue;
    if (typeof text !== 'string' || LONE.test(text) || utf8.encode(text).length > MAX_NAME) {
      throw refused('bad_field', `${name} is a text of at most ${MAX_NAME} bytes`);
    }
  }
  if (to !== undefined) checkAudiences(to);
  const fields = JSON.stringify({ type, key, to, origin, except });
  // Data is JSON already: it is passed on as it is.
  const json = data === undefined ? fields : `${fields.slice(0, -1)},"data":${data}}`;
  const bytes = utf8.encode(json).length;
  if (bytes <= MAX_UPDATE) return { json, bytes };
  throw refused('update_too_large', `${type} has ${bytes} bytes of JSON, and the server takes ${MAX_UPDATE}`, 413);
}

function checkAudiences(to: readonly string[]): void {
  if (!Array.isArray(to) || to.length < 1 || to.length > MAX_AUDIENCES) {
    throw refused('bad_audience', `\`to\` names 1 to ${MAX_AUDIENCES} audiences, or is left out`);
  }
  for (const text of to) {
    if (text === 'all') continue;
    const fault = audienceFault(text);
    if (fault) throw refused('bad_audience', fault);
  }
}

function audienceFault(text: unknown): string | undefined {
  const [, kind, name = ''] = (typeof text === 'string' && /^(user|role|channel):(.*)$/s.exec(text)) || [];
  switch (kind) {
    case 'user':
      return subjectFault({ user: name });
    case 'role':
      // A user may be without a role; an audience may not be without a name.
      return name ? subjectFault({ user: 'any', role: name }) : 'role: a name must not be empty';
    case 'channel':
      return subjectFault({ user: 'any', channels: [name] });
    default:
      return `${JSON.stringify(String(text))} is not all, user:NAME, role:NAME or channel:NAME`;
  }
}

function refused(code: string, detail: string, status = 400): HubError {
  return new HubError(code, detail, { status });
}
