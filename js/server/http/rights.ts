// What users may see now: the option `rights`, asked for streams that open and for open ones.
import { HubError } from '../errors.js';
import type { Streams } from '../hub/streams.js';
import type { CheckedOptions, User } from '../options.js';
import type { Claims } from '../tokens/index.js';
import { refuse } from './reply.js';

/** What a user may see; `gone` for nothing any more, `unknown` if the application has no answer. */
export type RightsNow = User | 'gone' | 'unknown';

/** The user of a token, with what it allows. */
export function userOf({ sub, role, channels, types, sid }: Claims): User {
  return { user: sub, role, channels, types, session: sid };
}

/** Determines rights by the option of the application. */
export class LiveRights {
  readonly #rights: CheckedOptions['rights'];
  readonly #streams: Streams;
  readonly #report: (error: unknown) => void;
  /** How often a change was reported. */
  #changes = 0;

  /** Without the option, users have what their tokens allow. */
  constructor(rights: CheckedOptions['rights'], streams: Streams, report: (error: unknown) => void) {
    this.#rights = rights;
    this.#streams = streams;
    this.#report = report;
  }

  /** Returns what a user may see now. */
  async of(user: User): Promise<RightsNow> {
    for (;;) {
      const changes = this.#changes;
      const rights = await this.#ask(user);
      // After a change that was reported meanwhile, the answer may be of before.
      if (changes === this.#changes) return rights;
    }
  }

  /**
   * Determines the rights of the open streams of a user again, or of all. Returns how many have
   * other ones. Throws 503 `directory_unavailable` if that failed for some: they keep theirs.
   */
  async changed(user: string | undefined): Promise<number> {
    this.#changes += 1;
    const streams = this.#streams;
    let [changed, unknown] = [0, 0];
    for (const stream of [...streams.all(({ owner }) => user === undefined || (owner as Claims).sub === user)]) {
      const rights = await this.of(userOf(stream.owner as Claims));
      if (rights === 'unknown') unknown += 1;
      else if (rights === 'gone') changed += Number(streams.bye(stream, 'revoked'));
      else changed += Number(streams.setRights(stream, rights));
    }
    if (unknown === 0) return changed;
    const detail = `the rights of ${unknown} open streams could not be determined; repeat it`;
    throw refuse(503, 'directory_unavailable', detail, 5);
  }

  async #ask(user: User): Promise<RightsNow> {
    if (!this.#rights) return user;
    try {
      return (await this.#rights(user)) ?? 'gone';
    } catch (cause) {
      const text = `the option \`rights\` failed: ${(cause as Error)?.message ?? String(cause)}`;
      this.#report(new HubError('directory_unavailable', text, { cause, status: 503 }));
      return 'unknown';
    }
  }
}
