/** @module A namespace as a stream of records: what a backup holds, checked from end to end when it is read. */
import { assert } from '../common/errors.ts';
import { sha256Stream } from '../common/hashing.ts';
import { backupDamaged } from './errors.ts';
import { BackupRecord } from './schema.ts';

export type BackupKind = NonNullable<BackupRecord['kind']>;

/** Readers of this code refuse others. */
export const BACKUP_FORMAT = 1;
/** Far above what a page of blocks, or an entry with a long path and link, takes. */
const MAX_RECORD_BYTES = 1024 * 1024;
/** Bytes gathered before they are handed on. */
const CHUNK_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/** Everything but the end, which is made here. `openInodes`: asked for when all records have been taken. */
export async function* encodeBackup(
  records: AsyncIterable<BackupKind>,
  openInodes: () => readonly number[],
): AsyncGenerator<Uint8Array> {
  const digest = sha256Stream();
  let entries = 0;
  let gathered: Buffer[] = [];
  let bytes = 0;
  for await (const kind of records) {
    if (kind.$case === 'entry') entries += 1;
    const framed = frame(kind);
    digest.update(framed);
    gathered.push(framed);
    bytes += framed.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
  }
  const value = { entries, sha256: new Uint8Array(digest.digest()), openInodes: [...openInodes()] };
  yield Buffer.concat([...gathered, frame({ $case: 'end', value })]);
}

/**
 * The records in order, the end last. Only when that one has come is what was read before it to be believed.
 * Errors: NAMESPACE_BACKUP_DAMAGED.
 */
export async function* decodeBackup(source: AsyncIterable<Uint8Array>): AsyncGenerator<BackupKind> {
  const digest = sha256Stream();
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  let entries = 0;
  let isEnded = false;
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(at);
      if (length > MAX_RECORD_BYTES || isEnded) throw backupDamaged('a record that cannot be', position);
      if (rest.length - at < LENGTH_BYTES + length) break;
      const framed = rest.subarray(at, at + LENGTH_BYTES + length);
      const kind = parse(framed.subarray(LENGTH_BYTES), position);
      if (position === 0 && (kind.$case !== 'header' || kind.value.format !== BACKUP_FORMAT))
        throw backupDamaged('no header of a format that is known here', position);
      if (kind.$case === 'entry') entries += 1;
      if (kind.$case === 'end') {
        isEnded = true;
        if (kind.value.entries !== entries || !sameBytes(kind.value.sha256, digest.digest()))
          throw backupDamaged('an end that does not fit', position);
      } else digest.update(framed);
      yield kind;
      at += framed.length;
      position += framed.length;
    }
    rest = rest.subarray(at);
  }
  if (!isEnded || rest.length > 0) throw backupDamaged('no end', position);
}

function frame(kind: BackupKind): Buffer {
  const record = BackupRecord.encode({ kind }).finish();
  assert(record.length <= MAX_RECORD_BYTES, `a record of a backup has at most ${MAX_RECORD_BYTES} bytes`);
  const framed = Buffer.alloc(LENGTH_BYTES + record.length);
  framed.writeUInt32BE(record.length);
  framed.set(record, LENGTH_BYTES);
  return framed;
}

function parse(bytes: Uint8Array, position: number): BackupKind {
  let kind: BackupRecord['kind'];
  try {
    ({ kind } = BackupRecord.decode(bytes));
  } catch (error) {
    throw backupDamaged('a record that cannot be read', position, error);
  }
  if (kind === undefined) throw backupDamaged('a record of an unknown kind', position);
  return kind;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
