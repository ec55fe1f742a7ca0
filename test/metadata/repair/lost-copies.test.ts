/** @module A copy that is gone while its datanode lives is looked at by itself, and its block named until it is well again. */
import { describe, expect, it } from 'vitest';
import { packHashes } from '../../../dht/packed-hashes.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { BlockExaminer } from '../../../src/metadata/repair/block-examiner.ts';
import { LostCopies, type LostCopiesComponents } from '../../../src/metadata/repair/lost-copies.ts';
import { newTable } from '../../dht/new-table.ts';

const HASH = 'ab'.repeat(32);
const COPIES = 3;

function keeperOf(isKept = true, isWanted = true) {
  const said: string[] = [];
  const note = (event: string): void => void said.push(event);
  const logger = { debug: note, info: note, warn: note, error: note } as unknown as Logger;
  const table = newTable({ onRemoved: (hash) => lost.note(hash) });
  const atRisk = new AtRiskBlocks();
  const index = {
    isComplete: () => true,
    blocks: (shard: number) => table.blocks(shard),
    holders: (hashes: readonly string[]) =>
      hashes.map((hash) => table.lookup(packHashes([hash])).nodes as readonly number[]),
  };
  const states = { isLive: () => true, isCounted: () => true };
  const badCopies = { isBad: () => false };
  const examiner = new BlockExaminer({
    states,
    badCopies,
    index,
    atRisk,
    clock: systemClock,
  } as unknown as ConstructorParameters<typeof BlockExaminer>[0]);
  const machine = {
    wantedBlocks: async (hashes: readonly string[]) =>
      isWanted ? hashes.map((hash) => ({ hash, sizeBytes: 1, copies: COPIES })) : [],
  };
  const keeper = { keeps: () => isKept };
  const lost = new LostCopies({
    machine,
    keeper,
    index,
    examiner,
    atRisk,
    logger,
  } as unknown as LostCopiesComponents);
  let sequence = 0;
  const announce = (node: number, change: 'added' | 'removed'): void => {
    const none = new Uint8Array();
    sequence += 1;
    const batch = { node, generation: 1, sequence, added: none, removed: none, whole: [], epoch: 1 };
    table.announce({ ...batch, [change]: packHashes([HASH]) });
  };
  for (const node of [1, 2, 3]) announce(node, 'added');
  return { lost, atRisk, said, announce };
}

describe('a copy that its datanode has no longer', () => {
  it('puts its block at risk at the next look, and both are named in the log until it has enough again', async () => {
    const { lost, atRisk, said, announce } = keeperOf();
    announce(2, 'removed');
    expect(lost.isBusy).toBe(true);
    await lost.look();
    expect(atRisk.get(HASH)).toMatchObject({ left: 2, wanted: COPIES });
    expect(atRisk.get(HASH)?.readyMs).toBeLessThanOrEqual(systemClock.monotonicMs());
    expect(said).toEqual(['repair.copy-lost']);
    atRisk.remove(HASH);
    await lost.look();
    await lost.look();
    expect(said).toEqual(['repair.copy-lost', 'repair.copy-made-up-for']);
  });

  it('is nothing to a keeper when others are enough, no file wants it, or the shard is kept elsewhere', async () => {
    const surplus = keeperOf();
    surplus.announce(4, 'added');
    surplus.announce(2, 'removed');
    const garbage = keeperOf(true, false);
    garbage.announce(2, 'removed');
    const foreign = keeperOf(false);
    foreign.announce(2, 'removed');
    for (const { lost, atRisk, said } of [surplus, garbage, foreign]) {
      await lost.look();
      expect(lost.isBusy).toBe(false);
      expect(atRisk.size).toBe(0);
      expect(said).toEqual([]);
    }
  });

  it('is told of once, not when a datanode withdraws what it never announced', () => {
    const { lost, announce } = keeperOf();
    announce(9, 'removed');
    expect(lost.isBusy).toBe(false);
  });
});
