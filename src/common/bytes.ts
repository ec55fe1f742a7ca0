/** @module Small conversions between bytes and text, and the end of large buffers. */

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of an even-length hex string; throws RangeError on anything else. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex))
    throw new RangeError(`Not hex: ${hex.slice(0, 80)}`);
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function fromUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

/** Called once, when nobody looks at the bytes that it came with any more. Perhaps it never is: then they are the garbage collector's. */
export type Left = () => void;

/** For bytes that `users` of them look at: `action` follows the last one's call. Each calls once. */
export function onceLeftBy(users: number, action: () => void): Left {
  let remaining = users;
  return () => {
    remaining -= 1;
    if (remaining === 0) action();
  };
}

/**
 * Gives the memory of a buffer back now, where `bytes` are all of it: V8 would notice it by tracing its heap, which it does for
 * each 64 MiB of buffers. Nobody may have a view of it any more, other than to drop it.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
