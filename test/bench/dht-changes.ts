/** @module The index while metadata nodes join and die: real metadata processes, datanodes of synthetic blocks. */
import { type LookupFigures, LookupLoad } from './lookup-load.ts';
import type { Reported } from './part-contender.ts';
import { round } from './statistics.ts';
import { secondsSince } from './stopwatch.ts';
import { HOLDERS, type IndexSize, METADATA_NODES, sum, SyntheticIndex } from './synthetic-index.ts';

/** What the change took until all shards had all their holders again, and what a client saw of it. */
export type IndexChange = Reported<LookupFigures & { readonly completeSeconds: number }>;

export interface IndexChanges extends IndexSize {
  readonly fillSeconds: number;
  readonly joined: IndexChange;
  readonly killed: IndexChange;
}

export async function measureChanges(size: IndexSize): Promise<IndexChanges> {
  const filled = performance.now();
  await using index = await SyntheticIndex.start(size);
  const fillSeconds = secondsSince(filled);
  await using load = await LookupLoad.start(index.cluster.profileDir, { blocks: size.blocks });
  const joined = await measureJoin(index, load);
  const killed = await measureKill(index, load);
  return { ...size, fillSeconds, joined, killed };
}

async function measureJoin(index: SyntheticIndex, load: LookupLoad): Promise<IndexChange> {
  const before = await index.statuses();
  load.figures();
  const startMs = performance.now();
  await index.cluster.join(`m${METADATA_NODES + 1}`);
  const upSeconds = secondsSince(startMs);
  const after = await index.whole(METADATA_NODES + 1);
  const moved = sum(after, ({ pulled }) => pulled) - sum(before, ({ pulled }) => pulled);
  const newcomer = after.find(({ boot }) => !before.some((each) => each.boot === boot));
  return {
    upSeconds,
    completeSeconds: secondsSince(startMs),
    movedRecords: moved,
    // What the newcomer must hold by distance, and what an even share would be.
    movedOfItsOwn: round(moved / (newcomer?.records ?? 0), 3),
    movedOfEvenShare: round(moved / ((index.records * HOLDERS) / (METADATA_NODES + 1)), 3),
    ...load.figures(),
  };
}

async function measureKill(index: SyntheticIndex, load: LookupLoad): Promise<IndexChange> {
  const victim = index.cluster.byNumber(await index.cluster.leader());
  if (victim === undefined) throw new Error('no running node leads');
  load.figures();
  const startMs = performance.now();
  await victim.kill('SIGKILL');
  await index.whole(METADATA_NODES);
  return { killed: `${victim.name}, the leader`, completeSeconds: secondsSince(startMs), ...load.figures() };
}
