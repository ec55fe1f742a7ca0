/** @module A cluster that loses datanodes gets its copies back by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { FileCluster, type RunningDataNode } from '../../client/file-cluster.ts';

const BLOCK_BYTES = 64 * 1024;
const FILE_BLOCKS = 24;
const COPIES = 3;
const DATANODES = 5;

let cluster: FileCluster;
let client: Client;
let hashes: readonly string[];
let dead: RunningDataNode[] = [];

beforeAll(async () => {
  cluster = await FileCluster.start(3, 0);
  client = await cluster.client();
  await client.configure({ suspectAfterMs: 1_000, deadAfterMs: 30_000 });
  for (let count = 0; count < DATANODES; count += 1) await cluster.addDataNode();
  await cluster.untilRegistered(DATANODES);
  const bytes = new Uint8Array(FILE_BLOCKS * BLOCK_BYTES).map((_, at) => at / 7 + 3 * (at >> 16));
  await client.put('/file', bytes, { blockSizeBytes: BLOCK_BYTES, replication: COPIES });
  const { blocks } = await client.locate('/file');
  hashes = blocks.map(({ hash }) => Buffer.from(hash).toString('hex'));
});
afterAll(() => cluster.stop());

const copies = (): number[] => hashes.map((hash) => cluster.holdersOf(hash).length);

async function healed(): Promise<void> {
  const timeout = { timeout: 20_000, interval: 50 };
  await expect.poll(() => Math.min(...copies()), timeout).toBeGreaterThanOrEqual(COPIES);
  await expect.poll(async () => (await client.status()).blocksUnderReplicated, timeout).toBe(0);
}

async function liveness(): Promise<readonly string[]> {
  return (await client.status()).dataNodes.map((node) => node.liveness);
}

describe('the loss of datanodes', () => {
  it('for a moment only: who comes back in time is not copied for', async () => {
    await healed();
    const [victim] = cluster.datanodes as [RunningDataNode];
    await cluster.killDataNode(victim);
    await expect.poll(liveness, { timeout: 10_000 }).toContain('suspect');
    await cluster.restartDataNode(victim);
    await expect.poll(liveness, { timeout: 10_000 }).not.toContain('suspect');
    await healed();
    expect(copies()).toEqual(hashes.map(() => COPIES));
  });

  it('by a drain: its copies are brought elsewhere, none is missed for a moment, and then it may go; what is too much when it stays is dropped', async () => {
    const [leaving] = cluster.datanodes as [RunningDataNode];
    let fewest = COPIES;
    const watching = setInterval(() => (fewest = Math.min(fewest, ...copies())), 5);
    await client.drain(leaving.number);
    const drainOf = async (): Promise<string | undefined> =>
      (await client.members()).members.find(({ number }) => number === leaving.number)?.drain;
    await expect.poll(drainOf, { timeout: 20_000, interval: 100 }).toBe('drained');
    clearInterval(watching);
    expect(fewest).toBe(COPIES);
    const without = hashes.map((hash) =>
      cluster.holdersOf(hash).filter(({ number }) => number !== leaving.number),
    );
    expect(without.map(({ length }) => length)).toEqual(hashes.map(() => COPIES));
    await expect(client.removeMember(leaving.number, { dryRun: true })).resolves.toMatchObject({
      concerns: [],
    });
    await client.undrain(leaving.number);
    expect(await drainOf()).toBeUndefined();
    await expect.poll(copies, { timeout: 20_000, interval: 50 }).toEqual(hashes.map(() => COPIES));
  });

  it('two at once, and of the leader: all copies come back, and no more than were lost', async () => {
    await client.configure({ deadAfterMs: 1_500 });
    const victims = cluster.datanodes.slice(0, 2);
    const leader = await cluster.metadata.leader();
    await Promise.all(victims.map((victim) => cluster.killDataNode(victim)));
    dead = victims;
    await cluster.metadata.kill(leader.number);
    expect(Math.min(...copies())).toBeGreaterThanOrEqual(1);
    await healed();
    expect(copies()).toEqual(hashes.map(() => COPIES));
    const { keepers } = await client.status();
    expect(keepers.reduce((sum, { copiedBlocks }) => sum + copiedBlocks, 0)).toBeGreaterThan(0);
  });

  it('too long, and its return: copies that are too many then are dropped, and no block has too few for a moment', async () => {
    // One of them may have been left without a copy by what came before.
    const heldBy = ({ blocks }: RunningDataNode): number => hashes.filter((hash) => blocks.has(hash)).length;
    const [returning] = dead.toSorted((a, b) => heldBy(b) - heldBy(a)) as [RunningDataNode];
    await cluster.restartDataNode(returning);
    expect(Math.max(...copies())).toBeGreaterThan(COPIES);
    let fewest = COPIES;
    const watching = setInterval(() => (fewest = Math.min(fewest, ...copies())), 5);
    await expect.poll(copies, { timeout: 20_000, interval: 50 }).toEqual(hashes.map(() => COPIES));
    clearInterval(watching);
    expect(fewest).toBe(COPIES);
  });
});
