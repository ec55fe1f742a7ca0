/** @module When a stream of frames tells that the memory of a body may be used again. */
import { describe, expect, it } from 'vitest';
import { KIB } from '../../src/common/bytes.ts';
import type { ByteStream, ByteStreamListener } from '../../src/network/byte-stream.ts';
import { FrameKind } from '../../src/network/frame.ts';
import { FramedStream } from '../../src/network/framed-stream.ts';

const NO_BYTES = new Uint8Array(0);

/** Takes one send(), then has no room until drained. */
class NarrowBytes implements ByteStream {
  readonly copies: boolean;
  readonly sent: number[] = [];
  breaks = false;
  #listener: ByteStreamListener | undefined;

  constructor({ copies }: { readonly copies: boolean }) {
    this.copies = copies;
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
  }

  send(pieces: readonly Uint8Array[]): boolean {
    if (this.breaks) throw new Error('broken');
    this.sent.push(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    return false;
  }

  drain(): void {
    this.#listener?.drained();
  }

  pause(): void {}
  resume(): void {}
  abort(): void {}
  async close(): Promise<void> {}
}

/** Two bodies, of which the second has to wait. Names those that were left. */
async function sendTwo(bytes: NarrowBytes): Promise<string[]> {
  const stream = new FramedStream(bytes);
  stream.listen({ frame: () => undefined, closed: () => undefined });
  const left: string[] = [];
  for (const name of ['first', 'second'])
    stream.send(FrameKind.data, 1, 0, NO_BYTES, new Uint8Array(256 * KIB), () => left.push(name));
  expect(left).toEqual([]);
  await Promise.resolve();
  return left;
}

describe('a large body', () => {
  it('is left once it was sent over a stream that copies, and not while it waits for room', async () => {
    const bytes = new NarrowBytes({ copies: true });
    const left = await sendTwo(bytes);
    expect([bytes.sent.length, left]).toEqual([1, ['first']]);
    bytes.drain();
    expect([bytes.sent.length, left]).toEqual([2, ['first', 'second']]);
  });

  it('is never called left where the stream below goes on looking at it', async () => {
    const bytes = new NarrowBytes({ copies: false });
    const left = await sendTwo(bytes);
    bytes.drain();
    expect([bytes.sent.length, left]).toEqual([2, []]);
  });

  it('is never called left when sending it failed', async () => {
    const bytes = new NarrowBytes({ copies: true });
    bytes.breaks = true;
    expect(await sendTwo(bytes)).toEqual([]);
  });
});

it('a small body is copied at once, and left', () => {
  const stream = new FramedStream(new NarrowBytes({ copies: false }));
  let isLeft = false;
  stream.send(FrameKind.data, 1, 0, NO_BYTES, new Uint8Array(KIB), () => (isLeft = true));
  expect(isLeft).toBe(true);
});
