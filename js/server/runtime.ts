// What some runtimes have and others lack, as members of `globalThis`.

interface Runtime {
  readonly Buffer?: { from(bytes: Uint8Array): Uint8Array };
  readonly setImmediate?: (work: () => void) => unknown;
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: (name: string) => unknown;
  };
}

/** What is used of node:crypto. */
interface NodeCrypto {
  createSecretKey(bytes: Uint8Array): object;
  createHmac(hash: 'sha256', key: object): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

const runtime = globalThis as Runtime;

/** Copies bytes; Node takes small buffers from a pool. */
export const copyBytes: (bytes: Uint8Array) => Uint8Array = runtime.Buffer
  ? (bytes) => (runtime.Buffer as NonNullable<Runtime['Buffer']>).from(bytes)
  : (bytes) => bytes.slice();

/** Calls back behind the events that are waiting. */
export const soon: (work: () => void) => unknown = runtime.setImmediate ?? ((work) => setTimeout(work, 0));

/** Returns a module of Node, without an import that bundlers would follow. */
export function builtin(name: string): unknown {
  return runtime.process?.getBuiltinModule?.(name);
}

/** A variable of the environment, if there is one. */
export function environment(name: string): string | undefined {
  return runtime.process?.env?.[name];
}

/**
 * Returns a function that signs by HMAC-SHA-256 at once, where the runtime has node:crypto. WebCrypto
 * does the same in another thread, which costs ten times as much as the hash of a token.
 */
export function syncHmac(secret: Uint8Array): ((message: Uint8Array) => Uint8Array) | undefined {
  const crypto = builtin('node:crypto') as NodeCrypto | undefined;
  if (!crypto?.createSecretKey || !crypto.createHmac) return undefined;
  const key = crypto.createSecretKey(secret);
  return (message) => crypto.createHmac('sha256', key).update(message).digest();
}
