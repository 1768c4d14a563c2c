// The page of the lab: opens clients, and keeps what their applications saw.
import { clients, type Failure } from './clients';

/** What the application of one client saw. */
interface Seen {
  /** The numbers it received, in order. */
  readonly events: number[];
  readonly failures: Failure[];
  asks: number;
  /** Why the client could not even be made. */
  broken?: string;
}

const seen = new Map<string, Seen>();
const closing = new Map<string, Array<() => void>>();

const lab = {
  async open(key: string, client: string, url: string, copies: number): Promise<void> {
    const mine: Seen = { events: [], failures: [], asks: 0 };
    seen.set(key, mine);
    closing.set(key, []);
    for (let n = 0; n < copies; n++) {
      const app = {
        url,
        token: () => `t${++mine.asks}`,
        // Some clients hand out blocks without data too.
        heard(_type: string, data: unknown): void {
          if (data !== '') mine.events.push(Number(data));
        },
        failed(failure: Failure): void {
          mine.failures.push(failure);
        },
      };
      try {
        const close = await clients[client]?.(app);
        if (close) closing.get(key)?.push(close);
      } catch (thrown) {
        mine.broken = String(thrown);
      }
    }
  },

  /** What the application saw, and the end of the client. */
  close(key: string): Seen | undefined {
    const report = structuredClone(seen.get(key));
    for (const close of closing.get(key) ?? []) close();
    return report;
  },

  /** Whether another request to that server comes through. */
  ping: (url: string): Promise<boolean> =>
    fetch(url, { signal: AbortSignal.timeout(5000), cache: 'no-store' }).then(
      ({ ok }) => ok,
      () => false,
    ),
};

// For the runner, which calls it by name.
Object.assign(globalThis, { lab });
