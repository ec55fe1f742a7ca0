/** @module Which seeds are to run, under how many faults. */
export const PROFILES = ['calm', 'rough', 'hell'] as const;
export type Profile = (typeof PROFILES)[number];

/** Both included. */
export interface SeedRange {
  readonly first: number;
  readonly last: number;
}
