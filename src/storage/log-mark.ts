/** @module One mark of the marker beside a Raft log, as numbers and as bytes. */
import type { Index, NodeId, Term } from '../../raft/types.ts';
import { crc32c } from '../common/hashing.ts';

/** What a node has promised so far: everything that has left it as a vote or an acknowledgement is covered by this. */
export interface LogStanding {
  /** Transactions of this log since it was made; each promise needs one, so a smaller number has forgotten promises. */
  readonly sequence: number;
  readonly term: Term;
  readonly vote: NodeId;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
}

/** The file that was written to, as the file system tells it from others. */
export interface MarkOwner {
  readonly inode: bigint;
  /** Birth time in nanoseconds; 0 where the file system keeps none. */
  readonly bornNs: bigint;
}

export interface Mark {
  /** Of all marks of this file; the higher of two slots is the newer. */
  readonly count: number;
  readonly boot: number;
  readonly standing: LogStanding;
  readonly owner: MarkOwner;
}

/** The first word of a slot: 'HFRM', format 1. */
const MAGIC = 0x4846524d_0000_0001n;
const WORD_BYTES = 8;
const HALF_WORD: number = 2 ** 32;

/** Little-endian 64-bit words, the last of them the CRC32C of those before. `sizeBytes` pads with zeros. */
export function encodeMark({ count, boot, standing, owner }: Mark, sizeBytes: number): Uint8Array {
  const { sequence, term, vote, lastIndex, lastTerm } = standing;
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const addWord = (word: bigint): void => {
    view.setBigUint64(at, BigInt.asUintN(64, word), true);
    at += WORD_BYTES;
  };
  // Each acknowledgement waits for this, and numbers as two halves take a fraction of the time of big integers.
  const addNumber = (number: number): void => {
    view.setUint32(at, number % HALF_WORD, true);
    view.setUint32(at + WORD_BYTES / 2, Math.floor(number / HALF_WORD), true);
    at += WORD_BYTES;
  };
  addWord(MAGIC);
  for (const number of [count, boot, sequence, term, vote, lastIndex, lastTerm]) addNumber(number);
  addWord(owner.inode);
  addWord(owner.bornNs);
  addNumber(crc32c(bytes.subarray(0, at)));
  return bytes;
}

/** Undefined when the bytes are not a whole mark of this format. */
export function decodeMark(bytes: Uint8Array): Mark | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const word = (): bigint => view.getBigUint64(at++ * WORD_BYTES, true);
  const number = (): number => Number(word());
  if (word() !== MAGIC) return undefined;
  const mark: Mark = {
    count: number(),
    boot: number(),
    standing: {
      sequence: number(),
      term: number(),
      vote: number(),
      lastIndex: number(),
      lastTerm: number(),
    },
    owner: { inode: word(), bornNs: word() },
  };
  const crc = crc32c(bytes.subarray(0, at * WORD_BYTES));
  return word() === BigInt(crc) ? mark : undefined;
}
