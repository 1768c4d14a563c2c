// Random calls of the wasm hub: none traps, whatever the arguments.
import { describe, expect, it } from 'vitest';
import { isHubError } from '../../../js/server/errors.js';
import { HubInstance, type UpdateFields } from '../../../js/server/hub/instance.js';
import { instantiate } from '../../../js/server/hub/module.js';
import { settings } from './hub-support.js';

const SEEDS = Number(process.env.HUB_FUZZ_SEEDS ?? 40);

/** A generator of numbers (mulberry32). */
function random(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  return { below, pick };
}

const texts = ['', 'a', 'projects', 'a.b.c', '*', 'a.*', 'tinysse.x', 'é', '\u0000', '\ud800', 'x'.repeat(300), 'a\nb'];
const audiences = ['all', 'user:u1', 'role:r', 'channel:a.b', 'channel:', 'user:\n', 'nobody', ''];
const cursors = [undefined, '', '0.0', '1.1', 'ffffffffffffffff.ffffffffffffffff', 'x.y', '1.', '.1', '?'];
const numbers = [0, 1, 7, 1_000, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];

describe('the wasm hub', () => {
  it(`refuses or answers ${SEEDS} seeds of random calls`, () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { below, pick } = random(seed);
      const rules = pick([[], [['*', pick(['deliver', 'coalesce', 'resync', 'disconnect'])]]] as const);
      const windows = pick([[], [['a.*', 50]]] as const);
      const bounds = { maxCount: pick([1, 3, 100]), maxBytes: pick([1_024, 1 << 20]), heartbeat: 1_000 };
      const hub = new HubInstance(
        { ...settings, ...bounds, slowRules: rules as never, windows: windows as never },
        [0, 1],
        [0, seed],
      );
      let now = 0;
      const slots = () => pick([...hub.slots(), below(10), 2 ** 31, 2 ** 32 - 1]);
      const update = (): UpdateFields => ({
        type: pick(texts),
        data: pick([undefined, '1', '"x"', 'no json', '{"a":\n1}', 'x'.repeat(5_000)]),
        key: pick([undefined, ...texts]),
        to: pick([undefined, [], Array.from({ length: below(120) }, () => pick(audiences)), [pick(audiences)]]),
        origin: pick([undefined, ...texts]),
        except: pick([undefined, 'c1']),
        at: pick(numbers),
      });
      const calls: (() => unknown)[] = [
        () =>
          hub.connect(now, {
            name: `c${below(5)}`,
            rights: {
              user: `u${below(3)}`,
              role: pick(['', 'r']),
              channels: pick([[], ['a.>', '*']]),
              types: pick([undefined, [], ['a.*'], [pick(texts)]]),
            },
            types: pick([undefined, ...texts, 'a,b.*']),
            cursor: pick([...cursors, hub.cursor()]),
            folded: below(2) > 0,
            chunked: below(2) > 0,
            ends: pick([0, now + 50]),
          }),
        () => hub.publish(now, update()),
        () => hub.publish(now, { type: pick(['a', 'a.b', 'projects']), at: 0, data: '1' }),
        () =>
          hub.publishAll(
            now,
            pick(numbers),
            Array.from({ length: below(5) }, update),
            pick([undefined, { key: pick(texts), fingerprint: [1, below(2)] }]),
          ),
        () => hub.disconnect(slots()),
        () => hub.setRights(slots(), { user: `u${below(3)}`, role: pick(texts), channels: [pick(texts)] }),
        () => hub.full(now, slots()),
        () => hub.drained(slots()),
        () =>
          hub.bye(slots(), pick(['drain', 'rotate', 'token', 'revoked', 'slow', 'x']), below(100), pick([-1, 0, 50])),
        () => hub.round(now),
        () => hub.flush(now, below(2) > 0),
        () => hub.watch(pick(texts), pick([[], [pick(audiences)]])),
        () => hub.watchers(below(20)),
        () =>
          hub.announceEverything(
            now,
            pick(numbers),
            pick([undefined, { key: pick(texts), fingerprint: [2, below(2)] }]),
          ),
        () => hub.begin(pick(['0.0', '1.5', 'ff.0', 'x', hub.cursor()])),
        () => hub.deliver(now, pick(['1.1', '2.7', '0.0', 'x', hub.cursor()]), update()),
        () => [hub.next(), hub.counts(), hub.cursor(), hub.jitter(below(3)), hub.goodbye(below(100))],
        () => {
          now += pick([0, 1, 60, 1_100, 40_000]);
        },
      ];
      for (let n = 0; n < 400; n++) {
        try {
          pick(calls)();
        } catch (error) {
          // A wrong word from this side is a TypeError; what the hub refuses is a HubError.
          expect(isHubError(error) || error instanceof TypeError, `seed ${seed}: ${String(error)}`).toBe(true);
        }
      }
      for (const slot of hub.slots()) hub.disconnect(slot);
      expect(hub.counts().streams).toBe(0);
    }
  });

  it('takes random bytes for arguments', () => {
    const { below, pick } = random(1);
    const wasm = instantiate();
    const pass = (bytes: Uint8Array) => {
      const address = wasm.input(bytes.length);
      new Uint8Array(wasm.memory.buffer).set(bytes, address);
    };
    const bytes = () => Uint8Array.from({ length: below(80) }, () => pick([0, 0, 0, 1, 2, 0xff, below(256)]));
    // A configuration is read whole or not at all.
    for (let n = 0; n < 2_000; n++) {
      pass(bytes());
      expect(wasm.create()).toBe(-2);
    }
  });
});
