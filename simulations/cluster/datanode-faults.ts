/** @module What may go wrong with the datanodes of a run, drawn before it begins, beside the faults of the metadata nodes. */
import { Prng } from '../prng.ts';
import type { DiskFailure } from '../world/disk-queue.ts';
import type { CutMode } from '../world/weather.ts';

/** `node` is a place among the datanodes that run at that time, counted round. */
export type DatanodeFaultKind =
  | { readonly kind: 'data-crash'; readonly node: number; readonly mode: CutMode; readonly forMs: number }
  | { readonly kind: 'data-crash-all'; readonly mode: CutMode; readonly forMs: number }
  | { readonly kind: 'data-restart'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'data-pause'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'data-clock-jump'; readonly node: number; readonly byMs: number }
  | { readonly kind: 'data-clock-drift'; readonly node: number; readonly rate: number }
  /** From some of all the others. */
  | {
      readonly kind: 'data-partition';
      readonly node: number;
      /** Bit i: the peer in place i is cut off from it. */
      readonly sides: number;
      readonly mode: CutMode;
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'data-snap'; readonly node: number }
  | {
      readonly kind: 'data-slow-disk';
      readonly node: number;
      readonly slowestSyncMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'data-disk-failure'; readonly node: number; readonly failure: DiskFailure }
  /** Who refers to a block cannot be read, of any metadata node. */
  | { readonly kind: 'data-listing-errors'; readonly forMs: number }
  /** The rest loses copies, and always those of one and the same datanode: no more than the cluster bears. */
  | { readonly kind: 'data-wipe'; readonly mode: CutMode; readonly forMs: number }
  | { readonly kind: 'data-rot' }
  | { readonly kind: 'data-misdirected-write' }
  | { readonly kind: 'data-tear'; readonly mode: CutMode; readonly forMs: number }
  /** Beyond that: the disks of so many datanodes are gone at once, from this place on, and what had copies there only. */
  | {
      readonly kind: 'data-loss';
      readonly node: number;
      readonly disks: number;
      readonly mode: CutMode;
      readonly forMs: number;
    };

export type DatanodeFault = DatanodeFaultKind & { readonly atMs: number };

export interface DatanodeFaultOptions {
  readonly datanodes: number;
  readonly faultyMs: number;
  /** Mean time between two of them, in milliseconds. */
  readonly periodMs: number;
}

const MOST_FAULTS = 60;
const MOST_LISTING_ERRORS = 4;
const KINDS: readonly Mixed['kind'][] = [
  'data-crash',
  'data-crash',
  'data-crash',
  'data-crash-all',
  'data-restart',
  'data-pause',
  'data-pause',
  'data-clock-jump',
  'data-clock-drift',
  'data-partition',
  'data-partition',
  'data-snap',
  'data-slow-disk',
  'data-disk-failure',
  'data-wipe',
  'data-rot',
  'data-rot',
  'data-tear',
  'data-misdirected-write',
];
/** A block is acknowledged with two copies, with fewer datanodes with one: then no disk may be lost. */
const LEAST_DATANODES_TO_LOSE_ONE = 2;
const DAMAGES: readonly DatanodeFaultKind['kind'][] = [
  'data-wipe',
  'data-rot',
  'data-tear',
  'data-misdirected-write',
];
/** Of runs with datanodes. */
const LOSS_SHARE = 0.08;

/** Each once. */
export const DATANODE_FAULT_KINDS: readonly DatanodeFaultKind['kind'][] = [
  ...new Set(KINDS),
  'data-listing-errors',
  'data-loss',
];

export function isDatanodeFault(fault: { readonly kind: string }): fault is DatanodeFault {
  return DATANODE_FAULT_KINDS.some((kind) => kind === fault.kind);
}

/** In the order of their times. */
export function drawDatanodeFaults(
  seed: number,
  { datanodes, faultyMs, periodMs }: DatanodeFaultOptions,
): readonly DatanodeFault[] {
  const random = new Prng(seed, 'datanode faults');
  const kinds = KINDS.filter(() => random.chance(0.7)).filter(
    (kind) => datanodes >= LEAST_DATANODES_TO_LOSE_ONE || !DAMAGES.includes(kind),
  );
  const faults: DatanodeFault[] = [];
  if (datanodes === 0) return faults;
  let atMs = 0;
  while (kinds.length > 0 && faults.length < MOST_FAULTS) {
    atMs += random.between(1, 2 * periodMs);
    if (atMs >= faultyMs) break;
    // A stream for each: leaving one out, or drawing more for it, changes no other.
    faults.push({
      atMs,
      ...drawFault(new Prng(seed, `datanode fault ${faults.length}`), random.pick(kinds)),
    });
  }
  return faults;
}

/** In the order of their times, in half of the runs; drawn apart, so that the other faults of a seed stay what they were. */
export function drawListingErrors(
  seed: number,
  { datanodes, faultyMs }: Omit<DatanodeFaultOptions, 'periodMs'>,
): readonly DatanodeFault[] {
  const random = new Prng(seed, 'listing errors of the run');
  if (datanodes === 0 || random.chance(0.5)) return [];
  return Array.from({ length: random.between(1, MOST_LISTING_ERRORS) }, () => ({
    atMs: random.int(faultyMs),
    kind: 'data-listing-errors' as const,
    forMs: random.pick([300, 1_000, 4_000]),
  })).toSorted((a, b) => a.atMs - b.atMs);
}

/** Disks of more datanodes than the cluster bears, once; drawn apart, too. */
export function drawDataLoss(
  seed: number,
  { datanodes, faultyMs }: Omit<DatanodeFaultOptions, 'periodMs'>,
): readonly DatanodeFault[] {
  const random = new Prng(seed, 'data loss');
  if (datanodes === 0 || !random.chance(LOSS_SHARE)) return [];
  const fault = {
    kind: 'data-loss' as const,
    node: random.int(64),
    disks: random.between(Math.min(datanodes, LEAST_DATANODES_TO_LOSE_ONE), datanodes),
    mode: random.pick(['silent', 'refused'] as const),
    forMs: random.between(300, 10_000),
  };
  return [{ atMs: random.int(faultyMs), ...fault }];
}

type Mixed = Exclude<DatanodeFaultKind, { readonly kind: 'data-listing-errors' | 'data-loss' }>;

function drawFault(random: Prng, kind: Mixed['kind']): Mixed {
  const node = random.int(64);
  const mode = random.pick(['silent', 'refused'] as const);
  const forMs = random.pick([
    random.between(1, 300),
    random.between(300, 3_000),
    random.between(1_000, 15_000),
  ]);
  switch (kind) {
    case 'data-crash':
      return { kind, node, mode, forMs };
    case 'data-crash-all':
    case 'data-wipe':
    case 'data-tear':
      return { kind, mode, forMs };
    case 'data-restart':
    case 'data-pause':
      return { kind, node, forMs };
    case 'data-clock-jump':
      return { kind, node, byMs: random.pick([-1, 1]) * random.pick([500, 60_000, 86_400_000]) };
    case 'data-clock-drift':
      return { kind, node, rate: random.pick([0.5, 0.9, 0.99, 1.01, 1.1, 2]) };
    case 'data-partition':
      return { kind, node, sides: random.int(2 ** 16), mode, oneWay: random.chance(0.3), forMs };
    case 'data-snap':
      return { kind, node };
    case 'data-slow-disk':
      return { kind, node, slowestSyncMs: random.pick([50, 300, 1_500]), forMs };
    case 'data-disk-failure':
      return { kind, node, failure: random.pick(['sync', 'full'] as const) };
    case 'data-rot':
    case 'data-misdirected-write':
      return { kind };
  }
}
