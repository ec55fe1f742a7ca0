/** @module How a snapshot travels: chunks that say where they belong and prove that they arrived unchanged. */
import { crc32c } from '../common/hashing.ts';
import { snapshotFailed } from './errors.ts';

/** Bytes of the file in one chunk, at most. */
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024;
/** Length of the payload (4), CRC32C of the rest of the header and the payload (4), offset of the payload (8). */
const CHUNK_HEADER_BYTES = 16;
const CRC_AT = 4;
const OFFSET_AT = 8;

/** Frames `payload`, bytes [offset, offset + length) of the file; 1 to SNAPSHOT_CHUNK_BYTES of them. */
export function encodeChunk(offset: number, payload: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + payload.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, payload.length);
  view.setBigUint64(OFFSET_AT, BigInt(offset));
  chunk.set(payload, CHUNK_HEADER_BYTES);
  view.setUint32(CRC_AT, crc32c(chunk.subarray(OFFSET_AT)));
  return chunk;
}

/**
 * Payloads of the chunks in `stream`, however it is cut, the first of which must lie at `offset` and each further one
 * behind the last. Throws METADATA_SNAPSHOT_FAILED for a damaged or misplaced one and for a stream that ends within one.
 */
export async function* decodeChunks(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  offset: number,
): AsyncGenerator<Uint8Array> {
  let buffered = Buffer.alloc(0);
  for await (const bytes of stream) {
    buffered = buffered.length === 0 ? Buffer.from(bytes) : Buffer.concat([buffered, bytes]);
    for (;;) {
      const chunk = wholeChunk(name, buffered);
      if (chunk === undefined) break;
      yield checkedPayload(name, chunk, offset);
      offset += chunk.length - CHUNK_HEADER_BYTES;
      buffered = buffered.subarray(chunk.length);
    }
  }
  if (buffered.length > 0) throw snapshotFailed(name, 'it ended within a chunk');
}

/** The first chunk of what has arrived; undefined while a part of it is still to come. */
function wholeChunk(name: string, buffered: Buffer): Buffer | undefined {
  if (buffered.length < CHUNK_HEADER_BYTES) return undefined;
  const length = buffered.readUInt32BE(0);
  if (length === 0 || length > SNAPSHOT_CHUNK_BYTES)
    throw snapshotFailed(name, `a chunk claims to have ${length} bytes`);
  const end = CHUNK_HEADER_BYTES + length;
  return buffered.length < end ? undefined : buffered.subarray(0, end);
}

function checkedPayload(name: string, chunk: Buffer, offset: number): Uint8Array {
  if (crc32c(chunk.subarray(OFFSET_AT)) !== chunk.readUInt32BE(CRC_AT))
    throw snapshotFailed(name, `the chunk at offset ${offset} does not match its checksum`);
  const got = Number(chunk.readBigUInt64BE(OFFSET_AT));
  if (got !== offset) throw snapshotFailed(name, `a chunk at offset ${got} came in the place of ${offset}`);
  return chunk.subarray(CHUNK_HEADER_BYTES);
}
