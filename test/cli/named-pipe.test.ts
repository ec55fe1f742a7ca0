/** @module Named pipes whose other end keeps us waiting. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFile } from '../../cli/file-source.ts';
import { openPipe, writeToPipe } from '../../cli/named-pipe.ts';

let root: string;
let pipe: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-pipe-'));
  pipe = join(root, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a pipe', () => {
  it.each(['read', 'write'] as const)(
    'with nobody at its other end lets go when the signal fires: %s',
    async (mode) => {
      const ctrlC = new AbortController();
      const opening = openPipe(pipe, mode, ctrlC.signal);
      ctrlC.abort(new Error('ctrl-C'));
      await expect(opening).rejects.toThrow('ctrl-C');
    },
  );

  it('whose writer says nothing lets go when the signal fires', async () => {
    const ctrlC = new AbortController();
    await using writer = await open(pipe, 'r+');
    const reading = readFile(pipe, ctrlC.signal);
    await writer.write('half');
    expect(Buffer.from((await reading.next()).value as Uint8Array).toString()).toBe('half');
    const next = reading.next();
    ctrlC.abort(new Error('ctrl-C'));
    await expect(next).rejects.toThrow();
  });

  it('gives its bytes to the reader, and the end when the writer is done', async () => {
    const { signal } = new AbortController();
    const reading = readAll(readFile(pipe, signal));
    const writer = await openPipe(pipe, 'write', signal);
    const chunk = Buffer.from('one');
    await writeToPipe(writer, chunk);
    // It may be used anew.
    chunk.write('two');
    await writeToPipe(writer, chunk);
    writer.end();
    expect(await reading).toBe('onetwo');
    expect((await stat(pipe)).isFIFO()).toBe(true);
  });
});

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}
