export interface Workload {
  readonly name: string;
  /** Random chunks of 1 to 64 bytes; else 16 KiB. */
  readonly tiny: boolean;
  readonly events: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
}

export function workloads(): Workload[];
