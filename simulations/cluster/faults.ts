/** @module Everything that may go wrong in a run, drawn before it begins: a list can be shortened, a habit cannot. */
import { Prng } from '../prng.ts';
import { CLIENT_FAULT_KINDS, type ClientFaultKind } from './client-faults.ts';
import { DATANODE_FAULT_KINDS, type DatanodeFaultKind } from './datanode-faults.ts';
import type { PowerCut } from './power-cuts.ts';
import type { DiskFailure } from '../world/disk-queue.ts';
import type { CutMode } from '../world/weather.ts';
import { DISK_PARTS, type DiskPart } from './machine.ts';
import type { Moment } from './moment.ts';

/** `node` is a place among those that run at that time, counted round. */
export type FaultKind =
  | { readonly kind: 'crash'; readonly node: number; readonly mode: CutMode; readonly forMs: number }
  | { readonly kind: 'crash-all'; readonly mode: CutMode; readonly forMs: number }
  /** Whoever leads then: where most is at stake. */
  | { readonly kind: 'crash-leader'; readonly mode: CutMode; readonly forMs: number }
  /** Somebody, the leader in two of three cases, as soon as there is such a moment; `afterMs` into it. */
  | {
      readonly kind: 'crash-at';
      readonly moment: Moment;
      readonly node: number;
      readonly afterMs: number;
      readonly mode: CutMode;
      readonly forMs: number;
    }
  | {
      readonly kind: 'isolate-leader';
      readonly mode: CutMode;
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'restart'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'pause'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'clock-jump'; readonly node: number; readonly byMs: number }
  | { readonly kind: 'clock-drift'; readonly node: number; readonly rate: number }
  | {
      readonly kind: 'partition';
      /** Bit i: side of the peer in place i, clients included. */
      readonly sides: number;
      readonly mode: CutMode;
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  | {
      readonly kind: 'cut-link';
      readonly node: number;
      readonly other: number;
      readonly mode: CutMode;
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'clog'; readonly node: number; readonly other: number; readonly forMs: number }
  | { readonly kind: 'snap'; readonly node: number; readonly other: number }
  | {
      readonly kind: 'slow-disk';
      readonly node: number;
      readonly slowestSyncMs: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'disk-failure';
      readonly node: number;
      readonly failure: DiskFailure;
      readonly forMs: number;
    }
  /** Everything on its disk but who it is. */
  | { readonly kind: 'wipe'; readonly node: number; readonly forMs: number }
  /** So long after the node's next write, before its rows have what was written; at once when that is absent. */
  | {
      readonly kind: 'bit-rot';
      readonly node: number;
      readonly part: DiskPart;
      readonly forMs: number;
      readonly afterWriteMs?: number;
    }
  | { readonly kind: 'misdirected-write'; readonly node: number; readonly forMs: number }
  /** Its directory goes back to what it was `backMs` before, by a copy of its files. */
  | { readonly kind: 'roll-back'; readonly node: number; readonly backMs: number; readonly forMs: number }
  /** The drive only said so: what was written within `backMs` is gone with the power. */
  | { readonly kind: 'lost-fsyncs'; readonly node: number; readonly backMs: number; readonly forMs: number }
  /** A node of the first feature level comes back as one of the newest, or the other way round. */
  | { readonly kind: 'upgrade'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'downgrade'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'add-node' }
  | { readonly kind: 'remove-node'; readonly node: number }
  | { readonly kind: 'transfer'; readonly node: number };

export type Fault = (FaultKind | PowerCut | DatanodeFaultKind | ClientFaultKind) & { readonly atMs: number };

const MOST_FAULTS = 100;
const KINDS: readonly FaultKind['kind'][] = [
  'crash',
  'crash',
  'crash',
  'crash-leader',
  'crash-leader',
  'isolate-leader',
  'crash-at',
  'crash-at',
  'crash-all',
  'restart',
  'pause',
  'pause',
  'clock-jump',
  'clock-drift',
  'partition',
  'partition',
  'cut-link',
  'clog',
  'snap',
  'slow-disk',
  'disk-failure',
  'wipe',
  'bit-rot',
  'bit-rot',
  'misdirected-write',
  'roll-back',
  'lost-fsyncs',
  'upgrade',
  'downgrade',
  'add-node',
  'remove-node',
  'transfer',
];

/** Each once. */
export const FAULT_KINDS: readonly Fault['kind'][] = [
  ...new Set(KINDS),
  'cut-power-in-write',
  'cut-power-at-compaction',
  ...DATANODE_FAULT_KINDS,
  ...CLIENT_FAULT_KINDS,
];

/** In the order of their times. Each seed draws its own mix of kinds. */
export function drawFaults(
  seed: number,
  { faultyMs, periodMs }: { readonly faultyMs: number; readonly periodMs: number },
): readonly Fault[] {
  const random = new Prng(seed, 'faults');
  const kinds = KINDS.filter(() => random.chance(0.7));
  const faults: Fault[] = [];
  let atMs = 0;
  while (kinds.length > 0 && faults.length < MOST_FAULTS) {
    atMs += random.between(1, 2 * periodMs);
    if (atMs >= faultyMs) break;
    // A stream for each: leaving one out, or drawing more for it, changes no other.
    faults.push({ atMs, ...drawFault(new Prng(seed, `fault ${faults.length}`), random.pick(kinds)) });
  }
  return faults;
}

function drawFault(random: Prng, kind: FaultKind['kind']): FaultKind {
  const node = random.int(64);
  const other = random.int(64);
  const mode = random.pick(['silent', 'refused'] as const);
  const oneWay = random.chance(0.3);
  const forMs = random.pick([
    random.between(1, 300),
    random.between(300, 3_000),
    random.between(1_000, 10_000),
  ]);
  switch (kind) {
    case 'crash':
      return { kind, node, mode, forMs };
    case 'crash-at': {
      const moment = random.pick(['joint', 'snapshot', 'snapshot'] as const);
      return { kind, moment, node, afterMs: random.pick([0, 0, 2, 10]), mode, forMs };
    }
    case 'isolate-leader':
      return { kind, mode, oneWay, forMs };
    case 'crash-leader':
    case 'crash-all':
      return { kind, mode, forMs };
    case 'restart':
    case 'pause':
      return { kind, node, forMs };
    case 'clock-jump':
      return { kind, node, byMs: random.pick([-1, 1]) * random.pick([500, 60_000, 86_400_000]) };
    case 'clock-drift':
      return { kind, node, rate: random.pick([0.5, 0.9, 0.99, 1.01, 1.1, 2]) };
    case 'partition':
      return { kind, sides: random.int(2 ** 16), mode, oneWay, forMs };
    case 'cut-link':
      return { kind, node, other, mode, oneWay, forMs };
    case 'clog':
      return { kind, node, other, forMs };
    case 'snap':
      return { kind, node, other };
    case 'slow-disk':
      return { kind, node, slowestSyncMs: random.pick([50, 300, 1_500]), forMs };
    case 'disk-failure':
      return { kind, node, failure: random.pick(['sync', 'full'] as const), forMs };
    case 'wipe':
    case 'misdirected-write':
    case 'upgrade':
    case 'downgrade':
      return { kind, node, forMs };
    case 'bit-rot':
      return { kind, node, part: random.pick(DISK_PARTS), forMs };
    case 'roll-back':
    case 'lost-fsyncs':
      return { kind, node, backMs: random.pick([200, 2_000, 8_000]), forMs };
    case 'add-node':
      return { kind };
    case 'remove-node':
    case 'transfer':
      return { kind, node };
  }
}

/** One line for people. */
export function describeFault({ kind, atMs, ...rest }: Fault): string {
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
  return [`${(atMs / 1000).toFixed(3)} s`, kind, ...facts].join(' ');
}
