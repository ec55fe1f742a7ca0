/** @module The bytes of standard input, and of a local file: read into two buffers in turn, one is filled while the other is looked at. */
import { fstatSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
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

/** Standard input to its end. A directory is none (EISDIR), though Node takes it for one without bytes. */
export async function* readInput(stdin: Readable): AsyncGenerator<Uint8Array> {
  if ('fd' in stdin && typeof stdin.fd === 'number' && fstatSync(stdin.fd).isDirectory())
    throw Object.assign(new Error('standard input is a directory'), { code: 'EISDIR' });
  yield* stdin as AsyncIterable<Uint8Array>;
}

/** Bytes read, from where the last read ended: 0 at the end of the file. */
async function read(file: FileHandle, buffer: Buffer): Promise<number> {
  return (await file.read(buffer, 0, buffer.byteLength)).bytesRead;
}
