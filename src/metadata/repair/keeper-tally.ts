/** @module What one walk over a keeper's blocks adds up to. */
import type { SoleCopies } from '../../protocol/messages.ts';
import type { ExaminedBlock } from './block-examiner.ts';
import { copiesLeft } from './copy-census.ts';

export class KeeperTally {
  readonly #sole = new Map<number, { blocks: number; bytes: number }>();
  readonly #needed = new Map<number, { blocks: number; bytes: number }>();

  add(block: ExaminedBlock): void {
    const { good, leaving, copies, sizeBytes } = block;
    const [only] = [...good, ...leaving];
    if (copiesLeft(block) === 1 && only !== undefined) count(this.#sole, only, sizeBytes);
    if (good.length < copies) for (const node of leaving) count(this.#needed, node, sizeBytes);
  }

  /** Blocks whose only readable copy is on a datanode, by datanode. */
  sole(): SoleCopies[] {
    return listed(this.#sole);
  }

  /** Copies on datanodes that are being emptied which are still needed there, by datanode. */
  needed(): SoleCopies[] {
    return listed(this.#needed);
  }
}

function count(sums: Map<number, { blocks: number; bytes: number }>, node: number, bytes: number): void {
  const before = sums.get(node) ?? { blocks: 0, bytes: 0 };
  sums.set(node, { blocks: before.blocks + 1, bytes: before.bytes + bytes });
}

function listed(sums: ReadonlyMap<number, { blocks: number; bytes: number }>): SoleCopies[] {
  return [...sums].map(([node, sum]) => ({ node, ...sum }));
}
