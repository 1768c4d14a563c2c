export function assertLowMemoryUnused(wasm: Uint8Array, name: string): void;
