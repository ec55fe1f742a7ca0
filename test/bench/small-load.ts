/** @module How many small files, how small, and how many on their way at once. */
export interface SmallLoad {
  readonly files: number;
  readonly bytes: number;
  readonly inFlight: number;
}
