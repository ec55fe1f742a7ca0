/** @module The bytes of a local file, read into two buffers in turn: one is filled while the other is looked at. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { MIB } from '../src/common/bytes.ts';
import { openPipe } from './named-pipe.ts';

/** Read at once. */
const READ_BYTES: number = MIB;

/** Chunks in order, each valid until the next is asked for. Rejects with system errors, and with the signal's reason. */
export async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if ((await stat(path)).isFIFO()) return yield* await openPipe(path, 'read', signal);
  await using file = await open(path);
  let [buffer, other] = [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)];
  let reading = read(file, buffer);
  for (let sizeBytes = await reading; sizeBytes > 0; sizeBytes = await reading) {
    signal.throwIfAborted();
    reading = read(file, other);
    // Whoever asks for the next chunk gets the error; perhaps nobody does.
    reading.catch(() => undefined);
    yield buffer.subarray(0, sizeBytes);
    [buffer, other] = [other, buffer];
  }
}

/** Bytes read, from where the last read ended: 0 at the end of the file. */
async function read(file: FileHandle, buffer: Buffer): Promise<number> {
  return (await file.read(buffer, 0, buffer.byteLength)).bytesRead;
}
