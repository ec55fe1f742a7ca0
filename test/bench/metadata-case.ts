/** @module What the metadata benchmark measures, and what one measurement says. */

export type Operation = 'mutation' | 'read';

export interface Case {
  readonly operation: Operation;
  /** Which metadata node the client knows. etcd is always asked at its leader. */
  readonly through: 'leader' | 'follower';
  readonly inFlight: number;
}

export interface Sample {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the servers and the client together, for 1,000 operations. */
  readonly cpuSecondsPer1000: number;
}

/** One of the systems measured beside each other. */
export interface Contender {
  readonly name: string;
  /** What an acknowledgement of it promises; said beside its figures. */
  readonly durability: string;
  measure(what: Case, seconds: number): Promise<Sample>;
  /** Of its largest server process since the start. Before stop(). */
  peakRssMib(): number;
  stop(): Promise<void>;
}

/** The rows of the table. */
export const CASES: readonly Case[] = [
  { operation: 'mutation', through: 'leader', inFlight: 1 },
  { operation: 'mutation', through: 'leader', inFlight: 64 },
  { operation: 'mutation', through: 'leader', inFlight: 256 },
  { operation: 'read', through: 'leader', inFlight: 64 },
  { operation: 'read', through: 'follower', inFlight: 64 },
];
