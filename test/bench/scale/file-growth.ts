/** @module Blocks of one file: the shipped state machine on its SQLite tables. */
import { pointOf } from './child-point.ts';
import type { Dimension } from './growth.ts';

export function fileGrowth(sizes: readonly number[]): Dimension {
  return {
    name: 'one file',
    of: 'blocks in it',
    sizes,
    figures: {
      append: { name: 'append a block', unit: 'CPU µs', counts: 'each' },
      openAppend: { name: 'open it, append one block, close', unit: 'CPU µs', counts: 'each' },
      stat: { name: 'stat', unit: 'CPU µs', counts: 'each' },
      firstPlan: { name: 'first 256 blocks', unit: 'CPU µs', counts: 'each' },
      lastPlan: { name: 'last 256 blocks', unit: 'CPU µs', counts: 'each' },
      copy: { name: 'copy, of a block', unit: 'CPU µs', counts: 'each' },
      coldCopy: { name: 'copy after a restart, of a block', unit: 'CPU µs', counts: 'each' },
      replicate: { name: 'set replication, of a block', unit: 'CPU µs', counts: 'each' },
      remove: { name: 'remove and free, of a block', unit: 'CPU µs', counts: 'each' },
      copyTurn: { name: 'copy, longest turn of the event loop', unit: 'ms', counts: 'seen' },
      replicateTurn: { name: 'set replication, longest turn', unit: 'ms', counts: 'seen' },
      appendTurn: { name: 'append as much, at most 65,536 blocks, longest turn', unit: 'ms', counts: 'seen' },
      removeTurn: { name: 'remove and free, longest turn', unit: 'ms', counts: 'seen' },
    },
    measure: (size) => pointOf('file-point.ts', [size]),
  };
}
