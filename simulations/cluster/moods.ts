/**
 * @module Some seeds concentrate on one thing: what needs several odd choices at once is hardly ever met where each is drawn for
 * itself. Drawn apart, so that all other seeds stay what they were.
 */
import { Prng } from '../prng.ts';
import { isPossible, type WorkloadName } from '../workloads/all-workloads.ts';
import { isClientFault } from './client-faults.ts';
import { isDatanodeFault } from './datanode-faults.ts';
import { drawCuts } from './power-cuts.ts';
import type { Fault } from './faults.ts';

/** What of a scenario moods look at, and change. */
interface Moody {
  readonly seed: number;
  readonly nodes: number;
  readonly datanodes: number;
  readonly firstLevel: number;
  readonly isBeyondBudget: boolean;
  readonly workloads: readonly WorkloadName[];
  readonly faultyMs: number;
  readonly faults: readonly Fault[];
  readonly maxLogEntries: number;
  readonly trailingEntries: number;
  readonly maxDirtyRows: number;
  readonly thinkMs: number;
}

type Mood = (scenario: Moody, random: Prng) => Partial<Moody>;

/** Of seeds, for each mood. */
const SHARE = 0.06;
const MOODS: readonly Mood[] = [loneAndForgetful, shortLogs, largeFiles];

export function inMood<Scenario extends Moody>(scenario: Scenario): Scenario {
  const random = new Prng(scenario.seed, 'mood');
  const mood = MOODS.find(() => random.chance(SHARE));
  if (mood === undefined) return scenario;
  const changed = { ...scenario, ...mood(scenario, random) };
  return { ...changed, faults: changed.faults.toSorted((a, b) => a.atMs - b.atMs) };
}

/**
 * One metadata node, and its log loses its last write while its rows are behind: nobody else, and nothing else on its disk, can
 * tell that node that it has forgotten something, so the marker must (S14 of simulations/README.md). Beyond any budget: it may stand still for ever,
 * and must not go on with what is left.
 */
function loneAndForgetful({ faults, faultyMs }: Moody, random: Prng): Partial<Moody> {
  // The term of a run that is over tells the marker as much as the number of writes does: the node is let alone before.
  const others = faults.filter((fault) => isClientFault(fault) || isDatanodeFault(fault));
  const forMs = random.between(1, 3_000);
  const atMs = random.between(1_000, faultyMs - 1);
  const afterWriteMs = random.between(5, 100);
  return {
    nodes: 1,
    isBeyondBudget: true,
    maxDirtyRows: 4096,
    faults: [...others, { kind: 'bit-rot', part: 'log-end', node: 0, forMs, afterWriteMs, atMs }],
  };
}

/**
 * Logs that keep next to nothing beside rows that are written late, and power that fails when entries have just been dropped:
 * those must be in the rows (S25 of simulations/README.md).
 */
function shortLogs({ faults, faultyMs }: Moody, random: Prng): Partial<Moody> {
  return {
    maxLogEntries: 10,
    trailingEntries: random.int(3),
    maxDirtyRows: 4096,
    thinkMs: 50,
    faults: [...faults, ...drawCuts(random, 'cut-power-at-compaction', faultyMs, random.between(2, 6))],
  };
}

/** Files that are copied, and replicated, in parts: what is half done then must be ended, or be gone. */
function largeFiles({ workloads, datanodes, firstLevel }: Moody): Partial<Moody> {
  return isPossible('large-files', { datanodes, level: firstLevel })
    ? { workloads: [...workloads, 'large-files'] }
    : {};
}
