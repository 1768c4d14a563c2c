// Parts of the package that are loaded when they are needed, over a network that may lose them.
import { messageOf } from '../model/errors.js';

/**
 * Shortest delay, and longest range of delays, in milliseconds: those of the session
 * (`src/proto/backoff.rs`).
 */
const [floor, base, cap] = [250, 1_000, 30_000];

/** Chromium and Firefox name the address that an `import()` could not load. */
const place = /dynamically imported module: (https?:\S+)/;

/**
 * Returns a function that loads a part once, and again after a failure.
 *
 * Until whatwg/html#10327 (2026) a browser remembers that an address failed, and never asks for it
 * again. So every second attempt is made at a fresh address, if the browser named the one that
 * failed. `name` is an export of the part: a bundler may have put it into a chunk whose exports
 * have other names, of which only its own `import()` knows.
 */
export function chunk<T>(load: () => Promise<T>, name: keyof T): () => Promise<T> {
  let loading: Promise<T> | undefined;
  let url: string | undefined;
  let attempts = 0;
  const attempt = async () => {
    attempts += 1;
    if (!url || attempts % 2) return load();
    const part = await import(
      /* @vite-ignore */ /* webpackIgnore: true */ `${url}${url.includes('?') ? '&' : '?'}retry=${attempts}`
    );
    return part[name] ? (part as T) : load();
  };
  return () => {
    loading ??= attempt().catch((thrown: unknown) => {
      loading = undefined;
      url ??= place.exec(messageOf(thrown))?.[1];
      throw thrown;
    });
    return loading;
  };
}

/**
 * Draws the delay after a number of failures, in milliseconds: full jitter with a floor and a cap.
 */
export const delay = (failures: number): number =>
  floor + Math.random() * (Math.min(cap, base * 2 ** (failures - 1)) - floor);

/**
 * Waits for a time in milliseconds; less long if the network is back or the page is shown, or if
 * the second function is called.
 */
export function pause(ms: number): [over: Promise<void>, end: () => void] {
  let end = () => {};
  const over = new Promise<void>((done) => {
    end = done;
  });
  const timer = setTimeout(end, ms);
  const turn = (how: 'addEventListener' | 'removeEventListener') => {
    for (const type of ['online', 'visibilitychange']) globalThis[how]?.(type, end);
  };
  turn('addEventListener');
  return [
    over.then(() => {
      clearTimeout(timer);
      turn('removeEventListener');
    }),
    end,
  ];
}
