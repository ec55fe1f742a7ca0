/** @module Whether the copies of a block stand apart as far as they could, and which one to do without. Pure. */
import { closenessTo, leastCloseness, type NodePlace } from '../node-place.ts';

export interface Holding extends NodePlace {
  /** Share of the datanode that is used, 0..1. */
  readonly fill: number;
}

/** The copy to do without: the one that stands closest to the others, of those on the fullest datanode. */
export function mostDispensable(holdings: readonly Holding[]): Holding | undefined {
  return holdings.toSorted(
    (a, b) => crowding(b, holdings) - crowding(a, holdings) || b.fill - a.fill || b.node - a.node,
  )[0];
}

/**
 * Whether no datanode in one of `zones` could let the copies stand further apart, told without a look at the datanodes:
 * of most blocks that is all there is to say.
 */
export function isSpreadOut(holdings: readonly Holding[], zones: ReadonlySet<string>): boolean {
  const from = mostDispensable(holdings);
  if (from === undefined) return true;
  const others = holdings.filter(({ node }) => node !== from.node);
  return closenessTo(from, others) <= leastCloseness(zones, others);
}

/**
 * A move that lets the copies stand further apart: from the most crowded copy to a datanode that shares less with the
 * others. Undefined when there is none.
 */
export function betterSpread<Candidate extends NodePlace>(
  holdings: readonly Holding[],
  candidates: readonly Candidate[],
): { readonly from: Holding; readonly to: Candidate } | undefined {
  const from = mostDispensable(holdings);
  if (from === undefined) return undefined;
  const others = holdings.filter(({ node }) => node !== from.node);
  const free = candidates.filter(({ node }) => !holdings.some((holding) => holding.node === node));
  const best = Math.min(...free.map((candidate) => closenessTo(candidate, others)));
  if (best >= closenessTo(from, others)) return undefined;
  const to = free.find((candidate) => closenessTo(candidate, others) === best);
  return to && { from, to };
}

/** Whether the copy on `from` may as well be on `to`: it stands no closer to the others there. */
export function keepsSpread(from: NodePlace, to: NodePlace, others: readonly NodePlace[]): boolean {
  return closenessTo(to, others) <= closenessTo(from, others);
}

function crowding(place: NodePlace, all: readonly NodePlace[]): number {
  return closenessTo(
    place,
    all.filter(({ node }) => node !== place.node),
  );
}
