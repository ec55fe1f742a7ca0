/** @module The ring of datanodes by their numbers, and who stands next to whom on it. Pure. */

/** On each side: two cut cables or dead neighbours leave a datanode watched. */
export const NEIGHBOURS_EACH_SIDE = 2;

/** The two successors and two predecessors of `self` on the ring of `nodes`, each once, never itself. */
export function neighbours(nodes: readonly number[], self: number): readonly number[] {
  const ring = [...new Set([...nodes, self])].toSorted((a, b) => a - b);
  const at = ring.indexOf(self);
  const found = new Set<number>();
  for (let step = 1; step <= NEIGHBOURS_EACH_SIDE; step += 1)
    for (const position of [at + step, at - step]) found.add(ring.at(position % ring.length) ?? self);
  found.delete(self);
  return [...found];
}
