/** @module Numbers of things, as people say them. */

/** "1 file", "2 files", "0 directories": `one` is the word for one of them. */
export function counted(count: number, one: string): string {
  if (count === 1) return `1 ${one}`;
  return `${count} ${one.endsWith('y') ? `${one.slice(0, -1)}ies` : `${one}s`}`;
}
