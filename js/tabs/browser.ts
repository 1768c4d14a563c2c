// The lock and the channel of a group of tabs, by the APIs of the browser.
import { TabElection } from './election.js';
import type { Message, TabClient, TabEnvironment } from './messages.js';

/** What makes a tab's stream: tabs share one only if all of it is the same. */
export interface Group {
  readonly url: string;
  readonly user: string;
  readonly types: readonly string[];
  readonly withCredentials: boolean;
}

/**
 * Takes part in the group of a user's tabs, by Web Locks (who leads) and BroadcastChannel (their
 * messages).
 *
 * Nothing is shared between different users, URLs, types or cookie policies: the name of lock and
 * channel is all of them.
 */
export function joinTabs(group: Group, session: TabClient, changed: () => void): TabElection {
  const url = new URL(group.url, typeof document === 'object' ? document.baseURI : location.href).href;
  const name = ['tinysse/1', url, group.user, group.types.join(), group.withCredentials ? 'include' : ''].join('\n');
  const channel = new BroadcastChannel(name);
  let release = () => {};
  const lock = (steal: boolean) => {
    release();
    const controller = new AbortController();
    let done = () => controller.abort();
    release = () => done();
    const hold = () => {
      if (controller.signal.aborted) return undefined;
      tab.granted();
      return new Promise<void>((resolve) => {
        done = resolve;
      });
    };
    // `steal` goes with no signal (Web Locks, `request()`).
    const options = steal ? { steal } : { signal: controller.signal };
    navigator.locks.request(name, options, hold).catch((thrown: unknown) => {
      if (controller.signal.aborted) return;
      // A lock that this tab had and has no more was stolen; any other error means that this
      // browser gives none here.
      if (thrown instanceof DOMException && thrown.name === 'AbortError') tab.stolen();
      else tab.unable();
    });
  };
  const world: TabEnvironment = {
    now: () => Date.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: () => Math.random(),
    post: (message) => channel.postMessage(message),
    lock,
    leave: () => {
      release();
      channel.close();
    },
    changed,
  };
  const tab = new TabElection(crypto.randomUUID(), session, world);
  channel.onmessage = ({ data }: MessageEvent<Message>) => tab.receive(data);
  return tab;
}
