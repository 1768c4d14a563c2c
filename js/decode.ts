/** The bytes of an inlined module. */
export function decode(base64: string): Uint8Array<ArrayBuffer> {
  const modern = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  return modern.fromBase64?.(base64) ?? Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
