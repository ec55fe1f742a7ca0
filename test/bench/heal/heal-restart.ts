/** @module A datanode with very many small blocks starts: until every metadata node knows all of them. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KIB, toHex } from '../../../src/common/bytes.ts';
import { isHoldfastError } from '../../../src/common/errors.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Client } from '../../../src/index.ts';
import { SHARD_COUNT } from '../../../src/protocol/index-view.ts';
import { openBlockStore } from '../../../src/storage/file-block-store.ts';
import type { Reported } from '../part-contender.ts';
import { measured } from '../process-usage.ts';
import { round } from '../statistics.ts';
import { secondsSince } from '../stopwatch.ts';
import type { HealRun } from './heal-run.ts';
import { poll } from './heal-watch.ts';

const BLOCK_BYTES: number = 4 * KIB;
/** Blocks that are written to the store at once. */
const TOGETHER = 512;

/** `blocks`: how many it gets. First it has all to tell, then nothing new, then all again to metadata nodes that forgot everything. */
export async function restart(
  { cluster, client }: HealRun,
  blocks: number,
): Promise<Reported<{ readonly everythingNew: { readonly announcedS: number } }>> {
  const d1 = cluster.node('d1');
  const { number } = d1.ready;
  await d1.kill('SIGTERM');
  const heldBefore = await fillStore(join(d1.directory, 'blocks'), blocks);
  const started = async (): Promise<Reported<{ readonly announcedS: number }>> => {
    const startMs = performance.now();
    const node = await cluster.startNode('d1');
    const readyS = secondsSince(startMs);
    // Those of before may be surplus by now: while the store was filled it counted as dead, and others took copies.
    const wanted = { startMs, blocks };
    const { cpuSeconds } = await measured([node.ready.pid], () =>
      poll(() => isAnnounced(client, number, wanted).catch(notYet)),
    );
    return { readyS, announcedS: secondsSince(startMs), cpuSAfterReady: round(cpuSeconds, 1) };
  };
  const everythingNew = await started();
  await cluster.node('d1').kill('SIGTERM');
  const nothingNew = await started();
  await cluster.node('d1').kill('SIGTERM');
  const metadata = ['m1', 'm2', 'm3'];
  await Promise.all(metadata.map((name) => cluster.node(name).kill('SIGTERM')));
  await Promise.all(metadata.map((name) => cluster.startNode(name)));
  await cluster.settled();
  const indexLost = await started();
  return { blocks: heldBefore + blocks, everythingNew, nothingNew, indexLost, barS: 10 };
}

/** Metadata nodes that are too busy to answer are not done. */
function notYet(error: unknown): boolean {
  if (isHoldfastError(error) && error.kind === 'unavailable') return false;
  throw error;
}

/** Random blocks that no file refers to: they are announced like all others. Resolves with how many were there before. */
async function fillStore(directory: string, blocks: number): Promise<number> {
  const store = await openBlockStore(directory, { reserveBytes: 0, logger: silentLogger });
  const { blockCount } = await store.usage();
  const put = async (seed: number): Promise<void> => {
    const bytes = Buffer.alloc(BLOCK_BYTES, createHash('sha256').update(String(seed)).digest());
    const hash = toHex(createHash('sha256').update(bytes).digest());
    const origin = { fileId: 0, pathHint: '', position: 0 };
    const writer = await store.create({ hash, sizeBytes: BLOCK_BYTES, origin });
    await writer.write(bytes);
    await writer.commit();
  };
  for (let first = 0; first < blocks; first += TOGETHER)
    await Promise.all(
      Array.from({ length: Math.min(TOGETHER, blocks - first) }, (_, offset) => put(first + offset)),
    );
  await store.close();
  return blockCount;
}

/** The datanode was heard since its start, and every metadata node knows so many of its blocks and agrees with it on every shard. */
async function isAnnounced(
  client: Client,
  number: number,
  { startMs, blocks }: { readonly startMs: number; readonly blocks: number },
): Promise<boolean> {
  const { dataNodes } = await client.status();
  const silentMs = dataNodes.find(({ member }) => member?.number === number)?.silentMs ?? 0;
  const { nodes } = await client.locationIndex();
  const states = nodes.map(({ status }) => status?.nodes.find(({ node }) => node === number));
  const shown = states.map((known) => known && `${known.records} records, ${known.confirmed} shards agreed`);
  process.stderr.write(`\r${shown.join(' | ')}  `);
  const isHeard = silentMs < performance.now() - startMs;
  return (
    isHeard && states.every((known) => known && known.records >= blocks && known.confirmed === SHARD_COUNT)
  );
}
