/**
 * @module How much of a file's end an append writes again.
 *
 * A block never changes, so what follows a last block that is not full is either a further short block or a new block
 * that holds its bytes too. Always the first would leave a block per append; always the second would write up to a whole
 * block for every byte. Here a short block is written again only when the new one is more than half its size: each time
 * the bytes of a block grow by at least half, so a byte is written again O(log(block size)) times however small the
 * appends are, and a file ends with at most log2(block size) short blocks, each at most half of the one before.
 */

/**
 * How many of the last short blocks the new bytes take up. `tailSizes`: sizes in bytes of the short blocks at the end, in
 * order, each below the block size; `newBytes`: what is appended, or at least enoughBytes(tailSizes) of it.
 */
export function blocksToReplace(tailSizes: readonly number[], newBytes: number): number {
  let replaced = 0;
  let bytes = newBytes;
  for (const sizeBytes of tailSizes.toReversed()) {
    if (bytes === 0 || sizeBytes >= 2 * bytes) break;
    bytes += sizeBytes;
    replaced += 1;
  }
  return replaced;
}

/** So many new bytes take up every block of the tail; more need not be known to plan. */
export function enoughBytes(tailSizes: readonly number[]): number {
  return tailSizes.length === 0 ? 0 : Math.floor(Math.max(...tailSizes) / 2) + 1;
}
