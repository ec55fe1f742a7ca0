/** @module A write slower than the eras: its datanodes are asked to keep what it wrote, and it is refused when they cannot. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientContext } from '../../src/client/client-context.ts';
import { referTo, type WrittenBlocks } from '../../src/client/retained-blocks.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { writtenTooLongAgo } from '../../src/namespace/errors.ts';
import { type Holder, RetainRequest, RetainResponse } from '../../src/protocol/messages.ts';

const HASHES = [sha256(new Uint8Array([1])), sha256(new Uint8Array([2]))];

describe('a writer whose blocks nobody referred to in time', () => {
  /** What each datanode answers of the two blocks; one that is not named does not answer. */
  let copies: Record<number, boolean[]>;
  /** Whom the index names. */
  let located: readonly number[];
  let era: number;
  let asked: string[];

  beforeEach(() => {
    copies = { 1: [true, true], 2: [true, true] };
    located = [];
    era = 5;
    asked = [];
  });

  const write = (writtenTo: readonly number[]): Promise<number> => {
    const metadata = { ask: async () => ({ blocks: [], holders: located.map(holder) }) };
    const network = {
      isConnected: () => true,
      request: async (peer: string, _class: string, _name: string, body: Uint8Array) => {
        const retained = copies[Number(peer.slice(1))];
        if (retained === undefined) throw new Error(`${peer} is gone`);
        asked.push(`${peer}@${RetainRequest.decode(body).era}`);
        return RetainResponse.encode({ retained }).finish();
      },
    };
    const context = { metadata, network, logger: silentLogger } as unknown as ClientContext;
    const blocks = HASHES.map((hash) => ({ hash, sizeBytes: 1 }));
    const written: WrittenBlocks = { blocks, era: 1, requiredCopies: 2, writtenTo: writtenTo.map(holder) };
    return referTo(context, written, new AbortController().signal, async (writtenEra) => {
      if (writtenEra + 2 <= era) throw writtenTooLongAgo('aa', writtenEra, era);
      return writtenEra;
    });
  };
  const refused = { code: 'CLIENT_NOT_RETAINED' };

  it('goes on when those it wrote to keep them, though the index names nobody for blocks out of service', async () => {
    expect(await write([1, 2])).toBe(5);
    expect(asked).toEqual(['p1@5', 'p2@5']);
  });

  it('goes on with copies that others have made since, which only the index knows', async () => {
    copies = { 1: [true, true], 3: [true, true] };
    located = [1, 3];
    expect(await write([1, 2])).toBe(5);
  });

  it('is refused when a block has too few copies left, each datanode counted once', async () => {
    copies = { 1: [true, true], 2: [true, false] };
    located = [1, 2];
    await expect(write([1, 2])).rejects.toMatchObject(refused);
    expect(asked).toHaveLength(2);
  });

  it('is refused when a datanode does not answer', async () => {
    copies = { 1: [true, true] };
    await expect(write([1, 2])).rejects.toMatchObject(refused);
  });

  it('is asked about for a bounded number of eras that pass between question and answer', async () => {
    copies = {
      1: [true, true],
      get 2() {
        era += 2;
        return [true, true];
      },
    };
    await expect(write([1, 2])).rejects.toMatchObject(refused);
    expect(asked).toEqual(['p1@5', 'p2@5', 'p1@7', 'p2@7']);
  });
});

function holder(node: number): Holder {
  return { node, peer: `p${node}`, addresses: [], name: '', host: '', alive: true };
}
