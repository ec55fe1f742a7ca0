/** @module A part of a block. */

/** The part of a block that is wanted: [offset, offset + length). */
export interface BlockRange {
  readonly offset: number;
  readonly length: number;
}
