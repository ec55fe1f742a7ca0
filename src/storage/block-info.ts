/** @module What a store knows of a block without its bytes: name, size, and why it is out of service. */
import type { BlockHash } from '../common/hashing.ts';

export interface BlockInfo {
  readonly hash: BlockHash;
  readonly sizeBytes: number;
}

/** Nobody refers to the block; there are more copies than wanted; the copy is not what its name says. */
export const QUARANTINE_REASONS = ['garbage', 'surplus', 'corrupt'] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** The decision that took a copy out of service. */
export interface QuarantineNote {
  readonly reason: QuarantineReason;
  /** Of the namespace (Collection.era) when it was decided; 0 when that did not matter. */
  readonly era: number;
  /** Raft index at which it was true; 0 when that did not matter. */
  readonly index: number;
  /** Wall-clock milliseconds. */
  readonly sinceMs: number;
}

export interface QuarantinedBlock extends BlockInfo, QuarantineNote {}
