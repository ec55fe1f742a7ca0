/** @module Encodes protobuf messages with one writer for all: a new one would grow a buffer of its own first, each time. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { KIB } from './bytes.ts';

/** The half of a codec, as ts-proto makes it, that encodes. */
export interface MessageEncoder<T> {
  encode(message: T, writer?: BinaryWriter): { finish(): Uint8Array };
}

/**
 * A message above this size takes its buffer with it, and the next one grows another from a KiB on. Sixteen small blocks of 4 KiB
 * in a message are some 67 KiB.
 */
const MAX_KEPT_BYTES: number = 256 * KIB;

let idle: BinaryWriter | undefined;

/** The bytes are the caller's own. Throws what the codec does for a value that its field cannot have. */
export function encodeMessage<T>(codec: MessageEncoder<T>, message: T): Uint8Array {
  const writer = idle ?? new BinaryWriter();
  // A writer that was left in the middle of a message is not used again.
  idle = undefined;
  const bytes = codec.encode(message, writer).finish();
  if (bytes.byteLength <= MAX_KEPT_BYTES) idle = writer;
  return bytes;
}
