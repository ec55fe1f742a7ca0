/** @module A block from datanodes that are slow, fail in the middle, or lie about its length. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientContext } from '../../src/client/client-context.ts';
import { fetchHedged } from '../../src/client/hedged-fetch.ts';
import { ReadTimes } from '../../src/client/read-times.ts';
import { sleep } from '../../src/common/clock.ts';
import { BlockReadHeader, type Holder } from '../../src/protocol/messages.ts';
import { ManualClock } from '../manual-clock.ts';

const BLOCK = Uint8Array.from({ length: 40 }, (_, at) => at);
const PIECE_BYTES = 10;

interface Behaviour {
  /** Before the first piece. */
  readonly delayMs?: number;
  readonly failsAfterBytes?: number;
  readonly endsAfterBytes?: number;
}

describe('a block', () => {
  let clock: ManualClock;
  let behaviours: Record<string, Behaviour>;
  let asked: { readonly peer: string; readonly offset: number }[];
  let failed: string[];
  let aborted: string[];
  let arrived: Uint8Array[];

  beforeEach(() => {
    clock = new ManualClock();
    [behaviours, asked, failed, aborted, arrived] = [{}, [], [], [], []];
  });

  async function* sent(peer: string, offset: number): AsyncGenerator<Uint8Array> {
    const { delayMs = 0, failsAfterBytes = 1e9, endsAfterBytes = 1e9 } = behaviours[peer] ?? {};
    if (delayMs > 0) await sleep(clock, delayMs);
    for (let at = offset; at < Math.min(BLOCK.length, endsAfterBytes); at += PIECE_BYTES) {
      if (at >= failsAfterBytes) throw new Error('broken');
      yield BLOCK.subarray(at, at + PIECE_BYTES);
    }
  }

  const fetch = (peers: readonly string[], readTimes = new ReadTimes()) => {
    const network = {
      isConnected: () => true,
      open: async (peer: string, _: string, header: Uint8Array) => {
        const { offset } = BlockReadHeader.decode(header);
        asked.push({ peer, offset });
        const pieces = sent(peer, offset);
        return { end: async () => {}, abort: () => aborted.push(peer), [Symbol.asyncIterator]: () => pieces };
      },
    };
    const holders = peers.map(
      (peer, position): Holder => ({
        node: position + 1,
        peer,
        addresses: [],
        name: '',
        host: '',
        alive: true,
      }),
    );
    return fetchHedged({ clock, network, readTimes } as unknown as ClientContext, {
      hash: new Uint8Array(32),
      range: { offset: 0, length: BLOCK.length },
      holders,
      signal: new AbortController().signal,
      onPiece: (piece) => arrived.push(piece),
      onFailure: ({ peer }) => failed.push(peer),
    });
  };

  it('goes on with the next datanode at the byte where one failed', async () => {
    behaviours = { a: { failsAfterBytes: 20 } };
    const got = await fetch(['a', 'b']);
    expect(Buffer.concat(got?.pieces ?? [])).toEqual(Buffer.from(BLOCK));
    expect(asked).toEqual([
      { peer: 'a', offset: 0 },
      { peer: 'b', offset: 20 },
    ]);
    expect(failed).toEqual(['a']);
    expect(got?.sources.map(({ peer }) => peer)).toEqual(['a', 'b']);
    expect(arrived, 'told as they came').toEqual(got?.pieces);
  });

  it('is asked of a second datanode when the first is later than nearly all have been', async () => {
    const readTimes = new ReadTimes();
    for (let count = 0; count < 40; count += 1) readTimes.note(9, 50);
    behaviours = { a: { delayMs: 800 } };
    const fetched = fetch(['a', 'b'], readTimes);
    await clock.advance(49);
    expect(asked).toHaveLength(1);
    await clock.advance(10);
    const got = await fetched;
    expect(asked.map(({ peer }) => peer)).toEqual(['a', 'b']);
    expect(got?.sources.map(({ peer }) => peer)).toEqual(['b']);
    expect([failed, aborted]).toEqual([[], ['a']]);
    expect(readTimes.distance(1)).toBeGreaterThan(readTimes.distance(2));
  });

  it('is not asked twice of anybody while the first is in time, or when there is no second', async () => {
    await fetch(['a', 'b']);
    expect(asked).toHaveLength(1);
    behaviours = { c: { delayMs: 900 } };
    const alone = fetch(['c']);
    await clock.advance(1_000);
    expect((await alone)?.pieces).toHaveLength(4);
    expect(asked).toHaveLength(2);
  });

  it('is on its way from nobody any more, whether it came or not', async () => {
    const readTimes = new ReadTimes();
    behaviours = { a: { failsAfterBytes: 20 } };
    await fetch(['a', 'b'], readTimes);
    expect([1, 2].map((node) => readTimes.began(node))).toEqual([1, 1]);
  });

  it('is nowhere when every datanode fails or ends too early, and each is named', async () => {
    behaviours = { a: { endsAfterBytes: 10 }, b: { failsAfterBytes: 0 } };
    expect(await fetch(['a', 'b'])).toBeUndefined();
    expect(failed).toEqual(['a', 'b']);
  });
});

describe('the time after which a datanode is late', () => {
  it('is what 95 of 100 reads stay below, within bounds', () => {
    const times = new ReadTimes();
    expect(times.hedgeMs).toBe(300);
    for (let wait = 1; wait <= 100; wait += 1) times.note(1, wait * 5);
    expect(times.hedgeMs).toBeGreaterThanOrEqual(470);
    expect(times.hedgeMs).toBeLessThanOrEqual(480);
    for (let count = 0; count < 300; count += 1) times.note(1, 1);
    expect(times.hedgeMs).toBe(30);
  });
});
