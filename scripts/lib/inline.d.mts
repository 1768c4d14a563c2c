export function encode(bytes: Uint8Array): string;
export function inlineModule(bytes: Uint8Array): Promise<string>;
