/** @module When a silent datanode counts as suspect, and when as dead. Pure. */
import { DEFAULT_DEAD_AFTER_MS, DEFAULT_SUSPECT_AFTER_MS } from '../namespace/limits.ts';
import type { Cluster } from '../namespace/schema.ts';

export type KnownLiveness = 'alive' | 'suspect' | 'dead';
/** `unknown`: not heard of yet. */
export type Liveness = KnownLiveness | 'unknown';

/** Silences, in milliseconds. */
export interface LivenessSettings {
  readonly suspectAfterMs: number;
  readonly deadAfterMs: number;
}

/** What speaks for and against one datanode. */
export interface LivenessEvidence {
  /** As committed; undefined: it was never heard of. */
  readonly liveness: string | undefined;
  /** The shortest silence that any metadata node reports: one cut link makes nobody dead. */
  readonly silentMs: number;
  /** Heard of in this life of the cluster's metadata nodes. One that never was is not dead, but has not come yet. */
  readonly wasHeard: boolean;
  /** Neighbours on the ring of datanodes say, enough of them, that they hear nothing of it. */
  readonly isReportedSilent: boolean;
  /** How often it should be heard. */
  readonly periodMs: number;
}

/** Heartbeats come three times before silence counts. */
const HEARTBEATS_PER_SUSPICION = 3;
/** As many may be lost before a datanode is dead. */
const HEARTBEATS_PER_DEATH = 4;
/** From all datanodes together, to one metadata node. */
export const MAX_HEARTBEATS_PER_SECOND = 200;
/** In a small cluster. */
const LONGEST_PERIOD_MS = 3_000;
const SHORTEST_PERIOD_MS = 150;

export function livenessSettings(cluster: Cluster | undefined): LivenessSettings {
  return {
    suspectAfterMs: cluster?.suspectAfterMs ?? DEFAULT_SUSPECT_AFTER_MS,
    deadAfterMs: cluster?.deadAfterMs ?? DEFAULT_DEAD_AFTER_MS,
  };
}

/**
 * How often datanodes report, in milliseconds. In a large cluster less often, so that a metadata node hears no more than
 * MAX_HEARTBEATS_PER_SECOND: there the neighbours on the ring notice a death first. Never so rarely that a few lost
 * heartbeats are a death.
 */
export function heartbeatPeriodMs(
  { suspectAfterMs, deadAfterMs }: LivenessSettings,
  datanodes: number,
): number {
  const wanted = Math.min(LONGEST_PERIOD_MS, Math.floor(suspectAfterMs / HEARTBEATS_PER_SUSPICION));
  const spared = Math.min((datanodes * 1000) / MAX_HEARTBEATS_PER_SECOND, deadAfterMs / HEARTBEATS_PER_DEATH);
  return Math.round(Math.max(SHORTEST_PERIOD_MS, wanted, spared));
}

/** By silence alone. */
export function bySilence(silentMs: number, settings: LivenessSettings): KnownLiveness {
  if (silentMs < settings.suspectAfterMs) return 'alive';
  return silentMs < settings.deadAfterMs ? 'suspect' : 'dead';
}

/**
 * What the datanode shall be, or undefined when that is what it is. Neighbours can make it suspect before its time, when
 * the metadata nodes have missed a heartbeat as well; nobody but time can make it dead.
 */
export function judge(evidence: LivenessEvidence, settings: LivenessSettings): KnownLiveness | undefined {
  const { liveness, silentMs, wasHeard, isReportedSilent, periodMs } = evidence;
  if (!wasHeard && liveness === undefined) return undefined;
  const plain = bySilence(silentMs, settings);
  const hasMissed = silentMs > periodMs;
  const next = plain === 'alive' && isReportedSilent && hasMissed ? 'suspect' : plain;
  return next === liveness ? undefined : next;
}
