/** @module What a block is part of, as datanodes keep it and as it goes over the wire. */
import { encodeMessage } from '../common/encode-message.ts';
import { type BlockNote, FileWrite } from '../protocol/messages.ts';
import { type BlockOrigin, MAX_WRITE_NOTE_BYTES } from '../storage/block-store.ts';
import { badHeader } from './errors.ts';

/** Error: DATANODE_BAD_HEADER. */
export function originFrom({ fileId, pathHint, position, write }: BlockNote): BlockOrigin {
  const origin = { fileId, pathHint, position };
  if (write === undefined) return origin;
  const note = encodeMessage(FileWrite, write);
  if (note.length > MAX_WRITE_NOTE_BYTES)
    throw badHeader(`what a block says of its write has ${note.length} bytes`);
  return { ...origin, write: note };
}

/** What copies say that are known to be bad: the part of it that makes sense. */
export function readableNotes(origins: readonly BlockOrigin[]): BlockNote[] {
  return origins.flatMap((origin) => {
    try {
      return [noteFrom(origin)];
    } catch {
      // What rot has made of it is of no interest.
      return [];
    }
  });
}

export function noteFrom({ write, ...origin }: BlockOrigin): BlockNote {
  return { ...origin, write: write && FileWrite.decode(write) };
}
