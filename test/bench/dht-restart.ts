/** @module The index after all metadata nodes were restarted with nothing, while clients look up one block, and many, without pause. */
import type { Client } from '../../src/index.ts';
import { type LookupFigures, LookupLoad } from './lookup-load.ts';
import type { Reported } from './part-contender.ts';
import { secondsSince } from './stopwatch.ts';
import { round } from './statistics.ts';
import { type IndexSize, METADATA_NODES, SyntheticIndex } from './synthetic-index.ts';

type Answered = LookupFigures & { readonly firstAnswerSeconds: number };

/** Seconds from the moment in which the last of them was killed. */
export type IndexRestart = Reported<
  IndexSize & {
    /** All processes say that they are ready. */
    readonly upSeconds: number;
    /** Somebody leads: a linearizable read of the namespace was answered. */
    readonly ledSeconds: number;
    readonly wholeSeconds: number;
    /** Lookups of one block, one at a time: what the first block of a read waits for. */
    readonly one: Answered;
    /** Lookups of many, several at a time. */
    readonly many: Answered;
  }
>;

export async function measureRestart(size: IndexSize): Promise<IndexRestart> {
  await using index = await SyntheticIndex.start(size);
  const { cluster, client } = index;
  const { blocks } = size;
  await using ofOne = await LookupLoad.start(cluster.profileDir, { blocks, hashes: 1, inFlight: 1 });
  await using ofMany = await LookupLoad.start(cluster.profileDir, { blocks });
  await Promise.all([ofOne, ofMany].map((load) => load.firstAnswer(0)));

  const { nodes } = cluster;
  await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  const startMs = performance.now();
  const ledSeconds = firstStat(client).then(() => secondsSince(startMs));
  const firstOfOne = ofOne.firstAnswer(startMs);
  const firstOfMany = ofMany.firstAnswer(startMs);
  await Promise.all(nodes.map(({ name }) => cluster.startNode(name)));
  const upSeconds = secondsSince(startMs);
  await index.whole(METADATA_NODES);
  const wholeSeconds = secondsSince(startMs);
  const answered = async (load: LookupLoad, first: Promise<number>): Promise<Answered> => ({
    firstAnswerSeconds: round((await first) / 1000, 1),
    ...load.figures(),
  });
  return {
    ...size,
    upSeconds,
    ledSeconds: await ledSeconds,
    wholeSeconds,
    one: await answered(ofOne, firstOfOne),
    many: await answered(ofMany, firstOfMany),
  };
}

/** Resolves with the first linearizable answer, however often a client's patience ends before. */
async function firstStat(client: Client): Promise<void> {
  let isAnswered = false;
  while (!isAnswered) {
    isAnswered = await client.stat('/').then(
      () => true,
      () => false,
    );
  }
}
