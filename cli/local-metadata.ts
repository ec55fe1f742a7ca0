/** @module Mode and modification time of what `get --preserve` writes, set once everything is in its place. */
import { chmod, utimes } from 'node:fs/promises';
import type { Stat } from '../src/namespace/schema.ts';
import { localFailure } from './errors.ts';
import { modeOf } from './mode.ts';

/** Whoever fetches a file becomes its owner: bits that lend an owner's rights are not taken over. */
const TAKEN_BITS = 0o777;
const MS_PER_SECOND = 1000;

interface Noted {
  readonly path: string;
  readonly stat: Stat;
}

/** Directories keep their times only when they are set after the last file came into them. */
export class DirectoryTimes {
  readonly #noted: Noted[] = [];

  note(path: string, stat: Stat): void {
    this.#noted.push({ path, stat });
  }

  /** Innermost first, or a mode without write permission would be in the way. */
  async apply(): Promise<void> {
    for (const { path, stat } of this.#noted.toReversed()) await preserveLocal(path, stat);
  }
}

/** Errors: CLI_LOCAL_FAILED. */
export async function preserveLocal(path: string, stat: Stat): Promise<void> {
  try {
    await chmod(path, modeOf(stat) & TAKEN_BITS);
    await utimes(path, stat.mtimeMs / MS_PER_SECOND, stat.mtimeMs / MS_PER_SECOND);
  } catch (error) {
    throw localFailure('set mode and time of', path, error);
  }
}
