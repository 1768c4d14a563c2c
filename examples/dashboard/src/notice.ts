/** One message for the person, the latest: what was tried and did not work. */
export interface Notice {
  readonly text: string;
  /** Grows, so that the same text shown twice appears twice. */
  readonly n: number;
}

let current: Notice | null = null;
let count = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export function say(text: string): void {
  clearTimeout(timer);
  current = { text, n: ++count };
  timer = setTimeout(hush, 8000);
  for (const listener of listeners) listener();
}

export function hush(): void {
  clearTimeout(timer);
  current = null;
  for (const listener of listeners) listener();
}

export const notices = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  get: (): Notice | null => current,
};
