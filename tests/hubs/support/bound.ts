// The bound of a wait: it only fails a test, and decides nothing else.

/** No wait of the suite takes longer, in milliseconds. */
export const BOUND = 15_000;

/** Resolves as `wait` does, or rejects with what did not happen. */
export async function bounded<T>(what: string, wait: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${BOUND / 1_000} s: ${what}`)), BOUND);
  });
  try {
    return await Promise.race([wait, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is yes. Each answer takes at least a turn of the loop. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + BOUND;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${BOUND / 1_000} s: ${what}`);
    await new Promise(setImmediate);
  }
}
