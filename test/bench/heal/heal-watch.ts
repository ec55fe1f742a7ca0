/** @module Watching a cluster heal, from outside. */
import type { Client } from '../../../src/index.ts';
import { secondsSince } from '../stopwatch.ts';

export interface Watch {
  /** Seconds from the kill. */
  readonly deadS: number;
  readonly healedS: number;
  /** When no block had a single copy left any more, and how many then still had two. */
  readonly oneLeftGoneS: number;
  readonly twoLeftThen: number;
  readonly twoLeftAtMost: number;
  readonly missingAtMost: number;
}

const POLL_MS = 200;
/** Whoever is not done by then never will be, in milliseconds. */
const LIMIT_MS = 15 * 60_000;

export async function poll(isOver: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await isOver())) {
    if (performance.now() - startMs > LIMIT_MS) throw new Error('It has not come to an end.');
    await pause(POLL_MS);
  }
}

/** Until a datanode is dead and every block has its copies. */
export async function untilHealed(client: Client): Promise<Watch> {
  const startMs = performance.now();
  let deadS = 0;
  let oneLeftGoneS = 0;
  let twoLeftThen = 0;
  let twoLeftAtMost = 0;
  let missingAtMost = 0;
  await poll(async () => {
    const status = await client.status();
    const left = (copies: number): number =>
      status.keepers.reduce(
        (sum, keeper) => sum + (keeper.left.find((each) => each.copies === copies)?.blocks ?? 0),
        0,
      );
    const nowS = secondsSince(startMs);
    if (deadS === 0 && status.dataNodes.some(({ liveness }) => liveness === 'dead')) deadS = nowS;
    missingAtMost = Math.max(missingAtMost, status.blocksMissing);
    twoLeftAtMost = Math.max(twoLeftAtMost, left(2));
    if (left(1) > 0) oneLeftGoneS = 0;
    else if (oneLeftGoneS === 0 && deadS > 0) [oneLeftGoneS, twoLeftThen] = [nowS, left(2)];
    const isOver = deadS > 0 && status.atRiskComplete && status.blocksUnderReplicated === 0;
    return isOver && nowS - deadS > 1;
  });
  const healedS = secondsSince(startMs);
  return { deadS, healedS, oneLeftGoneS, twoLeftThen, twoLeftAtMost, missingAtMost };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
