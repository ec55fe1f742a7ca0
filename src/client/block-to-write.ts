/** @module What is sent of a block, beside its bytes. */
import type { FileWrite } from '../protocol/messages.ts';
import type { WholeBlock } from './block-splitter.ts';

/** A block and what it is part of. */
export interface BlockToWrite extends WholeBlock {
  /** Inode of the file; 0 while it has none. */
  readonly fileId: number;
  readonly pathHint: string;
  readonly position: number;
  readonly write: FileWrite;
  /** Of the namespace, as known when the write began: for how long datanodes keep the block without a reference. */
  readonly era: number;
}
