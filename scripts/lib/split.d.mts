export interface Split {
  bytes: Uint8Array;
  starts: number[];
  start: number;
  stop: number;
}

export function split(wasm: Uint8Array): Promise<Split>;
