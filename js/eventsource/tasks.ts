// A queue of tasks of the browser, several works in one.
type Work = () => void;

/** The most works that one task of the browser does. */
const MAX_TASK_WORKS = 64;
/** The time after which a task of the browser starts no other work, in milliseconds. */
const MAX_TASK_MS = 5;

let post: ((work: Work) => void) | undefined;

/**
 * Queues a task: what browsers do with each event of a stream, so that promises settle between two
 * of them and none comes while a script runs. In order, and never throttled as timers are.
 *
 * Works that wait share a task of the browser, which costs more than they do, and no script can
 * distinguish them: each is called by a listener of its own, after which all microtasks run, as
 * they do between tasks. That one task source is asked several times before another one has its
 * turn is the browser's choice too. Source: HTML §8.1.7.3, "processing model", step 2, and "clean
 * up after running script".
 */
export function queueTask(work: Work): void {
  post ??= poster();
  post(work);
}

/** The same; settles when it ran. */
export const task = (work: Work): Promise<void> =>
  new Promise((done) => {
    queueTask(() => {
      work();
      done();
    });
  });

/** Taken before a test can put a fake in its place. */
const { setImmediate } = globalThis as { setImmediate?: (work: Work) => void };

function poster(): (work: Work) => void {
  // In Node, Bun and Deno a channel keeps the process alive (so its ports have `unref`), and no
  // microtasks run between listeners. In a page, what is called `setImmediate` is a polyfill or a
  // fake, and may never call.
  if (setImmediate && 'unref' in MessagePort.prototype) return setImmediate;
  const waiting: Work[] = [];
  const { port1, port2 } = new MessageChannel();
  let until = 0;
  let posted = false;
  for (let index = 0; index <= MAX_TASK_WORKS; index++) {
    port1.addEventListener('message', (event) => {
      if (index === 0) until = performance.now() + MAX_TASK_MS;
      else if (index === MAX_TASK_WORKS || waiting.length === 0 || performance.now() > until) {
        event.stopImmediatePropagation();
        posted = waiting.length > 0;
        if (posted) port2.postMessage(0);
        return;
      }
      waiting.shift()?.();
    });
  }
  port1.start();
  return (work) => {
    waiting.push(work);
    if (!posted) port2.postMessage(0);
    posted = true;
  };
}
