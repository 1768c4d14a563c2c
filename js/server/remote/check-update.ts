// What can be seen of an update before it is sent; the server judges the rest. The rules and the
// codes are those of the hub.
import { HubError } from '../errors.js';
import { fieldsOf } from '../hub/updates.js';
import { nameFault } from '../tokens/names.js';
import type { NotifyOptions } from '../types.js';

const TYPE = /^[A-Za-z0-9._:-]{1,128}$/;
const MAX_NAME = 255;
const MAX_AUDIENCES = 100;
const utf8 = new TextEncoder();

/** Returns an update as the JSON that the server takes. Throws a {@link HubError} for a wrong one. */
export function jsonOfUpdate(type: string, options: NotifyOptions): string {
  if (typeof type !== 'string' || !TYPE.test(type)) {
    throw refused('bad_type', 'a type has 1 to 128 characters of A-Z a-z 0-9 . _ : -');
  }
  if (type.startsWith('tinysse.')) throw refused('reserved_type', "types below `tinysse.` are the hub's own");
  const { data, to, key, origin, except } = fieldsOf(type, options, 0);
  for (const [name, text] of Object.entries({ key, origin, except })) {
    if (text === undefined) continue;
    if (typeof text !== 'string' || utf8.encode(text).length > MAX_NAME) {
      throw refused('bad_field', `${name} is a text of at most ${MAX_NAME} bytes`);
    }
  }
  if (to) checkAudiences(to);
  const fields = JSON.stringify({ type, key, to, origin, except });
  // Data is JSON already: it is passed on as it is.
  return data === undefined ? fields : `${fields.slice(0, -1)},"data":${data}}`;
}

function checkAudiences(to: readonly string[]): void {
  if (!Array.isArray(to) || to.length < 1 || to.length > MAX_AUDIENCES) {
    throw refused('bad_audience', `\`to\` names 1 to ${MAX_AUDIENCES} audiences, or is left out`);
  }
  for (const text of to) {
    const [, kind, name] = /^(user|role|channel):(.*)$/s.exec(String(text)) ?? [];
    if (text === 'all') continue;
    if (!kind)
      throw refused('bad_audience', `${JSON.stringify(text)} is not all, user:NAME, role:NAME or channel:NAME`);
    const fault = nameFault(kind, name);
    if (fault) throw refused('bad_audience', fault);
  }
}

function refused(code: string, detail: string): HubError {
  return new HubError(code, detail, { status: 400 });
}
