/** @module What the disk of a location index does wrong: reads that fail, writes that find no room, and pages that are not what was written. */
import { storageFailed } from '../../src/storage/errors.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import type { Prng } from '../prng.ts';
import type { DiskHealth } from '../world/disk-queue.ts';

export type PageSight = 'read' | 'written' | 'lost' | 'refused' | 'spoilt';

export interface SpillFaultsComponents {
  readonly random: Prng;
  readonly health: Pick<DiskHealth, 'losesPages'>;
  /** The time that the disk takes. */
  readonly seek: () => Promise<void>;
  readonly saw: (what: PageSight) => void;
}

/** Of reads: each costs the records of its shard. */
const LOST_SHARE = 0.01;
/** Of reads: before one, some page that lies there has lost a sector, or a bit of it has turned over. */
const SPOILT_SHARE = 0.01;
/** Of writes: after one the index keeps to its memory for a minute, and most runs are over by then. */
const REFUSED_SHARE = 0.002;
const SECTOR_BYTES = 512;
const BITS = 8;

/** Gone with the process. */
export function openFaultyPages({ random, health, seek, saw }: SpillFaultsComponents): MemoryPageStore {
  const store = new MemoryPageStore({
    pause: async (action) => {
      await seek();
      const meets = (share: number): boolean => health.losesPages && random.chance(share);
      if (action === 'write' && meets(REFUSED_SHARE)) {
        saw('refused');
        throw storageFailed('write location records', 'pages', new Error('ENOSPC: no space left on device'));
      }
      if (action === 'read' && meets(LOST_SHARE)) {
        saw('lost');
        throw new Error('EIO: i/o error, read');
      }
      if (action === 'read' && meets(SPOILT_SHARE) && spoil(store.contents, random)) saw('spoilt');
      saw(action === 'read' ? 'read' : 'written');
    },
  });
  return store;
}

/** Says whether there was anything to spoil. */
function spoil(runs: readonly Uint8Array[], random: Prng): boolean {
  if (runs.length === 0) return false;
  const pages = random.pick(runs);
  const at = random.int(pages.length);
  if (random.chance(0.5)) {
    // A write that was cut short: the sector has what was there before.
    const from = at - (at % SECTOR_BYTES);
    pages.fill(0, from, from + SECTOR_BYTES);
  } else pages[at] = (pages[at] ?? 0) ^ (1 << random.int(BITS));
  return true;
}
