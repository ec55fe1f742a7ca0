/** @module Files in the namespace: the shipped state machine on its SQLite tables, at sizes from a thousand files on. */
import type { Dimension } from './growth.ts';
import { pointOf } from './child-point.ts';

export function namespaceGrowth(sizes: readonly number[]): Dimension {
  return {
    name: 'namespace, one machine',
    of: 'files',
    sizes,
    figures: {
      create: { name: 'create', unit: 'CPU µs', counts: 'each' },
      stat: { name: 'stat, not cached', unit: 'CPU µs', counts: 'each' },
      cachedStat: { name: 'stat, cached', unit: 'CPU µs', counts: 'each' },
      list: { name: 'page of 250 entries', unit: 'CPU µs', counts: 'each' },
      rename: { name: 'rename', unit: 'CPU µs', counts: 'each' },
      remove: { name: 'remove and free', unit: 'CPU µs', counts: 'each' },
      walk: { name: 'keeper walks over blocks', unit: 'CPU ms', counts: 'whole' },
      snapshotCpu: { name: 'snapshot', unit: 'CPU ms', counts: 'whole' },
      snapshotMib: { name: 'snapshot', unit: 'MiB', counts: 'whole' },
      restart: { name: 'restart to first answer', unit: 'ms', counts: 'each' },
      heapPerFile: { name: 'heap of a cached file', unit: 'bytes', counts: 'each' },
      rssMib: { name: 'memory of the process', unit: 'MiB', counts: 'seen' },
    },
    measure: (size) => pointOf('namespace-point.ts', [size]),
  };
}
