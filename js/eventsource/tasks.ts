type Work = () => void;

let post: ((work: Work) => void) | undefined;

/**
 * Queues a task: what browsers do with each event of a stream, so that promises settle between two of them and none comes
 * while a script runs. In order, and never throttled as timers are.
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

function poster(): (work: Work) => void {
  // Node has its own, which a waiting channel would keep alive.
  const { setImmediate } = globalThis as { setImmediate?: (work: Work) => void };
  if (setImmediate) return setImmediate;
  const waiting: Work[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (work) => {
    waiting.push(work);
    port2.postMessage(0);
  };
}
