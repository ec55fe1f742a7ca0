/** @module A block's origin as it stands in a row of SQLite: JSON, so that earlier releases read what they know. */
import { fromUtf8, utf8 } from '../common/bytes.ts';
import { storedOrigin } from './block-file.ts';
import type { BlockOrigin } from './block-store.ts';

interface OriginRow {
  readonly fileId: number;
  readonly pathHint: string;
  readonly position: number;
  /** Base64. */
  readonly write?: string;
}

export function encodeOrigin(origin: BlockOrigin): Uint8Array {
  const { fileId, pathHint, position, write } = storedOrigin(origin);
  const row: OriginRow = {
    fileId,
    pathHint,
    position,
    ...(write && { write: Buffer.from(write).toString('base64') }),
  };
  return utf8(JSON.stringify(row));
}

export function decodeOrigin(bytes: Uint8Array): BlockOrigin {
  const { write, ...origin } = JSON.parse(fromUtf8(bytes)) as OriginRow;
  return write === undefined ? origin : { ...origin, write: new Uint8Array(Buffer.from(write, 'base64')) };
}

/** Of a row whose checksum is wrong, if it is an origin still. */
export function readableOrigin(bytes: Uint8Array): BlockOrigin | undefined {
  try {
    const origin = decodeOrigin(bytes);
    const isWhole = [origin.fileId, origin.position].every(Number.isSafeInteger);
    return isWhole && typeof origin.pathHint === 'string' ? origin : undefined;
  } catch {
    // What rot has made of it is of no interest.
    return undefined;
  }
}

/** Whether both were written by the same write at the same place. */
export function isSameOrigin(one: BlockOrigin, other: BlockOrigin): boolean {
  return Buffer.compare(encodeOrigin(one), encodeOrigin(other)) === 0;
}
