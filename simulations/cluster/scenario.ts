/** @module What one seed stands for: a cluster, clients, and every fault with its time. A part of a scenario is a scenario. */
import { FIRST_FEATURE_LEVEL, SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { Prng } from '../prng.ts';
import { drawWorkloads, type WorkloadName } from '../workloads/all-workloads.ts';
import type { WeatherOptions } from '../world/weather.ts';
import { drawDataLoss, drawDatanodeFaults, drawListingErrors } from './datanode-faults.ts';
import { drawClientFaults } from './client-faults.ts';
import { drawFaults, type Fault } from './faults.ts';
import { inMood } from './moods.ts';
import { drawPowerCuts } from './power-cuts.ts';

export interface Scenario {
  readonly seed: number;
  readonly profile: Profile;
  /** Metadata nodes at the start; all streams of randomness are named, so fewer of anything does not reshuffle the rest. */
  readonly nodes: number;
  readonly voters: number;
  readonly datanodes: number;
  /** Place of the only datanode that ever loses copies: what is acknowledged has two. */
  readonly victim: number;
  readonly clients: number;
  readonly workloads: readonly WorkloadName[];
  /** Of the version that founds the cluster; nodes that join have it, too. */
  readonly firstLevel: number;
  /** More metadata nodes may lose their state than the cluster is built for (fault-budget.ts). */
  readonly isBeyondBudget: boolean;
  readonly registers: number;
  /** Of the phase with faults, in milliseconds of true time. */
  readonly faultyMs: number;
  readonly faults: readonly Fault[];
  readonly weather: WeatherOptions;
  readonly maxLogEntries: number;
  readonly trailingEntries: number;
  readonly cacheSizeBytes: number;
  readonly maxDirtyRows: number;
  /** Of some seeds: the location index of metadata nodes has hardly any memory, and goes to disk. */
  readonly indexMemoryBytes?: number;
  readonly indexMinShardBytes?: number;
  readonly indexDiskBytes?: number;
  /** Of some seeds: the cluster's default block size in bytes, above what travels together; else the smallest there is. */
  readonly blockSizeBytes?: number;
  /** Pause of a client between two operations, at most, in milliseconds. */
  readonly thinkMs: number;
}

export type Profile = 'calm' | 'rough' | 'hell';

/** Mean true time between two faults, in milliseconds. */
const FAULT_PERIOD_MS: Readonly<Record<Profile, number>> = { calm: 15_000, rough: 2_500, hell: 900 };
/** Of seeds. */
const FIRST_LEVEL_SHARE = 0.15;
const BEYOND_BUDGET_SHARE = 0.15;
const SMALL_INDEX_SHARE = 0.3;
/** Blocks of 64 KiB and less lie in the database of small blocks, and no chain of datanodes is made for them. */
const LARGE_BLOCKS_SHARE = 0.5;
const LARGE_BLOCK_BYTES: number = 96 * 1024;
const MIB: number = 1024 * 1024;
const INDEX_DISK_BYTES: number = 64 * MIB;

/** Whether garbage is collected in eras of seconds: clusters of the first level do not know of it. */
export function collects({ datanodes, firstLevel }: Pick<Scenario, 'datanodes' | 'firstLevel'>): boolean {
  return datanodes > 0 && firstLevel > FIRST_FEATURE_LEVEL;
}

/** Whether disks of more datanodes go than the cluster is built for. */
export function losesDisks({ faults, faultyMs }: Pick<Scenario, 'faults' | 'faultyMs'>): boolean {
  return faults.some(({ kind, atMs }) => kind === 'data-loss' && atMs < faultyMs);
}

export function drawScenario(seed: number, profile: Profile = 'rough'): Scenario {
  const random = new Prng(seed, 'scenario');
  const nodes = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5]);
  const datanodes = new Prng(seed, 'datanodes').pick([0, 1, 2, 3, 3, 4, 5]);
  const isFirstLevel = new Prng(seed, 'level').chance(FIRST_LEVEL_SHARE);
  const firstLevel = isFirstLevel ? FIRST_FEATURE_LEVEL : SUPPORTED_FEATURE_LEVEL;
  const faultyMs = 1000 * random.between(10, 30);
  const periodMs = FAULT_PERIOD_MS[profile];
  const isSmall = random.chance(0.5);
  return inMood({
    seed,
    profile,
    nodes,
    voters: random.pick([3, 3, 5]),
    datanodes,
    victim: new Prng(seed, 'victim').int(64),
    clients: random.between(1, 4),
    workloads: drawWorkloads(new Prng(seed, 'workloads'), { datanodes, level: firstLevel }),
    firstLevel,
    isBeyondBudget: new Prng(seed, 'budget').chance(BEYOND_BUDGET_SHARE),
    registers: random.between(1, 3),
    faultyMs,
    faults: [
      ...drawFaults(seed, { faultyMs, periodMs }),
      ...drawDatanodeFaults(seed, { datanodes, faultyMs, periodMs }),
      ...drawListingErrors(seed, { datanodes, faultyMs }),
      ...drawDataLoss(seed, { datanodes, faultyMs }),
      ...drawPowerCuts(seed, { faultyMs }),
      ...drawClientFaults(seed, { faultyMs, periodMs }),
    ].toSorted((a, b) => a.atMs - b.atMs),
    weather: drawWeather(random, new Prng(seed, 'more weather')),
    maxLogEntries: isSmall ? random.between(20, 100) : 2_000,
    trailingEntries: isSmall ? random.between(5, 20) : 200,
    cacheSizeBytes: random.pick([1024, 16 * 1024, MIB]),
    maxDirtyRows: random.pick([4, 32, 4096]),
    ...drawIndexMemory(new Prng(seed, 'index memory')),
    ...(new Prng(seed, 'block size').chance(LARGE_BLOCKS_SHARE) && { blockSizeBytes: LARGE_BLOCK_BYTES }),
    thinkMs: random.pick([50, 150, 400]),
  });
}

function drawIndexMemory(random: Prng): Partial<Scenario> {
  if (!random.chance(SMALL_INDEX_SHARE)) return {};
  const indexMemoryBytes = random.pick([0, 2_000, 20_000]);
  return { indexMemoryBytes, indexMinShardBytes: 0, indexDiskBytes: INDEX_DISK_BYTES };
}

/** `more`: a stream of its own for what was added later. */
function drawWeather(random: Prng, more: Prng): WeatherOptions {
  const rarely = (perMille: number): number => random.int(perMille + 1) / 1000;
  const options: WeatherOptions = {
    shortestDelayMs: 0.1,
    longestDelayMs: random.pick([1, 5, 20, 60]),
    spikeProbability: random.chance(0.5) ? 0 : rarely(10),
    breakProbability: random.chance(0.5) ? 0 : rarely(2),
  };
  return {
    ...options,
    lossProbability: more.chance(0.6) ? 0 : more.int(20) / 1000,
    isUneven: more.chance(0.3),
    ...(more.chance(0.2) && { bytesPerMs: more.pick([100, 1_000, 10_000]) }),
  };
}
