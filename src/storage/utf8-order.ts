/** @module The order of keys everywhere: by UTF-8 bytes, as SQLite's BINARY collation has it. */

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/**
 * Compares two texts by their UTF-8 bytes. JavaScript's `<` compares UTF-16 units, which puts surrogate pairs
 * (U+10000 and above) before U+E000..U+FFFF, where UTF-8 has them after.
 */
export function compareUtf8(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves surrogates above all other units, where the code points that they encode belong. */
function rank(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x10000 : unit;
}
