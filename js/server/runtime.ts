// What some runtimes have and others lack, as members of `globalThis`.

interface Runtime {
  readonly Buffer?: { from(bytes: Uint8Array): Uint8Array };
  readonly setImmediate?: (work: () => void) => unknown;
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

const runtime = globalThis as Runtime;

/** Copies bytes; Node takes small buffers from a pool. */
export const copyBytes: (bytes: Uint8Array) => Uint8Array = runtime.Buffer
  ? (bytes) => (runtime.Buffer as NonNullable<Runtime['Buffer']>).from(bytes)
  : (bytes) => bytes.slice();

/** Calls back behind the events that are waiting. */
export const soon: (work: () => void) => unknown = runtime.setImmediate ?? ((work) => setTimeout(work, 0));

/** A variable of the environment, if there is one. */
export function environment(name: string): string | undefined {
  return runtime.process?.env?.[name];
}
