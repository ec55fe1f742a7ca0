/** @module One of five datanodes is drained: no block ever has fewer copies than before, and it takes no longer than it must. */
import { MIB } from '../../../src/common/bytes.ts';
import type { Client } from '../../../src/index.ts';
import type { Reported } from '../part-contender.ts';
import { round } from '../statistics.ts';
import { secondsSince } from '../stopwatch.ts';
import { pathOf } from './heal-files.ts';
import { copyLimits } from './heal-limits.ts';
import type { HealRun } from './heal-run.ts';
import { pause, poll } from './heal-watch.ts';

/** Copies are counted so often, in milliseconds. */
const SAMPLE_MS = 500;

export async function drain({
  cluster,
  client,
  files,
}: HealRun): Promise<Reported<{ readonly drainedS: number }>> {
  const { number } = cluster.node('d1').ready;
  const limits = await copyLimits(cluster.directory);
  const before = await fewestCopies(client, files);
  const leaving = await usedBytes(client, number);
  const stopping = new AbortController();
  const sampling = sampleCopies(client, files, stopping.signal);
  const startMs = performance.now();
  await client.drain(number);
  await poll(async () => {
    const { dataNodes } = await client.status();
    const left = dataNodes.find(({ member }) => member?.number === number)?.departingBytes ?? 0;
    process.stderr.write(`\r${secondsSince(startMs)} s: ${round(left / MIB)} MiB left  `);
    return dataNodes.some(({ member }) => member?.number === number && member.drain === 'drained');
  });
  const drainedS = secondsSince(startMs);
  stopping.abort();
  const { fewest, samples } = await sampling;
  const mibPerS = leaving / MIB / drainedS;
  // A copy is read from one disk and written to another, and here all datanodes share one: as `cluster status` counts.
  const copiesMibPerS = limits.diskMibPerS / 2;
  const isDisk = copiesMibPerS < limits.networkMibPerS;
  const limit = isDisk ? copiesMibPerS : limits.networkMibPerS;
  return {
    mib: round(leaving / MIB),
    drainedS,
    copiesBefore: before,
    copiesAtLeast: fewest,
    samples,
    mibPerS: round(mibPerS, 1),
    diskMibPerS: round(limits.diskMibPerS, 1),
    networkMibPerS: round(limits.networkMibPerS, 1),
    limitedBy: isDisk ? 'disk' : 'network',
    share: round(mibPerS / limit, 2),
    barShare: 0.6,
  };
}

async function sampleCopies(
  client: Client,
  files: number,
  signal: AbortSignal,
): Promise<{ readonly fewest: number; readonly samples: number }> {
  let fewest = Number.POSITIVE_INFINITY;
  let samples = 0;
  for (; !signal.aborted; samples += 1) {
    fewest = Math.min(fewest, await fewestCopies(client, files));
    await pause(SAMPLE_MS);
  }
  return { fewest, samples };
}

/** Of all blocks, copies on living datanodes, those that leave among them. */
async function fewestCopies(client: Client, files: number): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let number = 0; number < files; number += 1) {
    const { blocks, holders } = await client.locate(pathOf(number));
    const alive = new Set(holders.filter((holder) => holder.alive).map(({ node }) => node));
    for (const { nodes } of blocks) fewest = Math.min(fewest, nodes.filter((node) => alive.has(node)).length);
  }
  return fewest;
}

async function usedBytes(client: Client, number: number): Promise<number> {
  const { dataNodes } = await client.status();
  return dataNodes.find(({ member }) => member?.number === number)?.usedBytes ?? 0;
}
