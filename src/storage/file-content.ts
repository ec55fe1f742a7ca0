/** @module How bytes get into a file that is written from its beginning to its end. */
import type { FileHandle } from 'node:fs/promises';
import type { Left } from '../common/bytes.ts';

/** Order: write()*, then end() or giveUp(). */
export interface FileContent {
  /** Resolves when more may come; an error of the disk shows in this call, or in a later one. */
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  /** All of it is handed to the disk, if not yet durable: an fsync of the file that it was made for covers it. */
  end(): Promise<void>;
  /** Nothing of it is under way any more; also after end(). Never rejects. */
  giveUp(): Promise<void>;
}

/** A short write is how a disk that fills up shows first; the rest says why. */
export async function writeWhole(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const wanted = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const { bytesWritten } = await handle.writev(buffers, position);
  if (bytesWritten === wanted) return;
  const rest = Buffer.concat(buffers).subarray(bytesWritten);
  await writeWhole(handle, [rest], position + bytesWritten);
}
