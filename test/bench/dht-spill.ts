/** @module One holder whose records do not fit into its memory, against the same one whose do: each in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpillMeasure, SpillOrder } from './dht-spill-holder.ts';

/** Of the memory that the records take when all are in it. */
const MEMORY_SHARE = 0.2;

export interface IndexSpill {
  readonly resident: SpillMeasure;
  readonly spilled: SpillMeasure;
}

/** Blocks of one copy each, announced and looked up in the holder's own process: the network would be most of it. */
export async function measureSpill(records: number): Promise<IndexSpill> {
  const resident = await measure({ records });
  const memoryBytes = Math.round(resident.tableBytes * MEMORY_SHARE);
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    const path = join(directory, 'location-pages');
    return { resident, spilled: await measure({ records, spill: { path, memoryBytes } }) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(order: SpillOrder): Promise<SpillMeasure> {
  const child = fork(new URL('./dht-spill-holder.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  child.send(order);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the holder ended with code ${code} before it had measured anything`);
  });
  const [measured] = (await Promise.race([once(child, 'message'), ended])) as [SpillMeasure];
  ended.catch(() => undefined);
  child.disconnect();
  return measured;
}
