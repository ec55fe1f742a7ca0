/** @module Draws datanodes by weight, of those that stand as far from the other copies as any can. */
import type { Random } from '../common/random.ts';
import { closenessTo, leastCloseness, type NodePlace, zoneOf } from './node-place.ts';
import type { PlacementCandidate, PlacementRound } from './placement.ts';

/** Weights are drawn in this unit, so that any disk's free space stays within what Random.int takes. */
const WEIGHT_UNIT_BYTES = 1024 * 1024;
/** So many transfers in flight count like half of the free space. */
const HALVING_TRANSFERS = 16;
/** Of so few, all are looked at for every copy. */
const FEW_CANDIDATES = 16;
/** Of more, so many are drawn from all, and looked at, before all are looked at. */
const MAX_TRIES = 16;

const all = (): boolean => true;

/** By free space less expected writes, and by how busy a datanode is. */
export class PlacementDraw implements PlacementRound {
  readonly #random: Random;
  readonly #candidates: readonly PlacementCandidate[];
  readonly #room: Map<number, number>;
  readonly #zones: ReadonlySet<string>;
  /** Weights of the candidates up to each of them, as they were at first: made when they are many. */
  #sums: readonly number[] | undefined;

  constructor({ random }: { readonly random: Random }, candidates: readonly PlacementCandidate[]) {
    this.#random = random;
    this.#candidates = candidates;
    this.#room = new Map(
      candidates.map(({ node, freeBytes, expectedBytes }) => [node, freeBytes - expectedBytes]),
    );
    this.#zones = new Set(candidates.map(zoneOf));
  }

  /** One on this host with room for `sizeBytes`. */
  onHost(host: string, sizeBytes: number): PlacementCandidate | undefined {
    if (host === '') return undefined;
    return this.#drawOf(this.#fitting(sizeBytes).filter((candidate) => candidate.host === host));
  }

  farthest(
    others: readonly NodePlace[],
    sizeBytes: number,
    isAllowed: (node: number) => boolean = all,
  ): PlacementCandidate | undefined {
    const isEligible = ({ node }: NodePlace): boolean =>
      !others.some((other) => other.node === node) && isAllowed(node);
    const farthest = leastCloseness(this.#zones, others);
    const drawn = this.#tryDraws(
      (candidate) =>
        this.#roomOf(candidate) >= sizeBytes &&
        isEligible(candidate) &&
        closenessTo(candidate, others) <= farthest,
    );
    if (drawn !== undefined) return drawn;
    const free = this.#fitting(sizeBytes).filter(isEligible);
    const closeness = free.map((candidate) => closenessTo(candidate, others));
    const least = closeness.reduce((lower, each) => Math.min(lower, each), Number.POSITIVE_INFINITY);
    return this.#drawOf(free.filter((_, position) => closeness[position] === least));
  }

  hasRoom(sizeBytes: number, isAllowed: (node: number) => boolean): boolean {
    return this.#candidates.some(
      (candidate) => this.#roomOf(candidate) >= sizeBytes && isAllowed(candidate.node),
    );
  }

  use(candidate: PlacementCandidate, sizeBytes: number): void {
    this.#room.set(candidate.node, this.#roomOf(candidate) - sizeBytes);
  }

  /** Drawn from all and accepted: as often, compared with each other, as if those that are accepted were all there are. */
  #tryDraws(isAccepted: (candidate: PlacementCandidate) => boolean): PlacementCandidate | undefined {
    if (this.#candidates.length <= FEW_CANDIDATES) return undefined;
    const sums = (this.#sums ??= sumsOf(this.#candidates.map((candidate) => this.#weightOf(candidate))));
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const ticket = this.#random.int(sums.at(-1) ?? 1);
      const at = firstAbove(sums, ticket);
      const candidate = this.#candidates[at];
      if (candidate === undefined || !isAccepted(candidate)) continue;
      // What was placed on it since makes it lighter than it was when the sums were made.
      if (ticket - (sums[at - 1] ?? 0) < this.#weightOf(candidate)) return candidate;
    }
    return undefined;
  }

  #drawOf(pool: readonly PlacementCandidate[]): PlacementCandidate | undefined {
    const sums = sumsOf(pool.map((candidate) => this.#weightOf(candidate)));
    const total = sums.at(-1);
    return total === undefined ? undefined : pool[firstAbove(sums, this.#random.int(total))];
  }

  #fitting(sizeBytes: number): readonly PlacementCandidate[] {
    return this.#candidates.filter((candidate) => this.#roomOf(candidate) >= sizeBytes);
  }

  /** At least 1. */
  #weightOf(candidate: PlacementCandidate): number {
    const busy = 1 + (candidate.inFlight ?? 0) / HALVING_TRANSFERS;
    return 1 + Math.max(0, Math.floor(this.#roomOf(candidate) / (WEIGHT_UNIT_BYTES * busy)));
  }

  #roomOf({ node }: PlacementCandidate): number {
    return this.#room.get(node) ?? 0;
  }
}

function sumsOf(weights: readonly number[]): readonly number[] {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/** Position of the first of the ascending `sums` above `ticket`, which is below the last of them. */
function firstAbove(sums: readonly number[], ticket: number): number {
  let [from, to] = [0, sums.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sums[middle] ?? 0) > ticket) to = middle;
    else from = middle + 1;
  }
  return from;
}
