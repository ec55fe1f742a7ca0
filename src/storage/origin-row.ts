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

/** Whether both were written by the same write at the same place. */
export function isSameOrigin(one: BlockOrigin, other: BlockOrigin): boolean {
  return Buffer.compare(encodeOrigin(one), encodeOrigin(other)) === 0;
}
