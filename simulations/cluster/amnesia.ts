/** @module Faults after which a metadata node does not know all that it has promised: what it must notice, and not vote. */
import type { Weather } from '../world/weather.ts';
import type { World } from '../world/world.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { Coverage } from './coverage.ts';
import type { FaultBudget } from './fault-budget.ts';
import type { Roster } from './roster.ts';
import type { Fault } from './faults.ts';
import { electoratesIn } from './electorates.ts';
import type { DiskImage } from './machine.ts';
import type { MetadataProcess } from './metadata-process.ts';

export interface AmnesiaComponents {
  readonly world: World;
  readonly weather: Weather;
  readonly coverage: Coverage;
  readonly roster: Roster;
  readonly budget: FaultBudget;
  readonly say: (text: string) => void;
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
}

export type AmnesiaFault = Extract<
  Fault,
  { readonly kind: 'wipe' | 'bit-rot' | 'misdirected-write' | 'roll-back' | 'lost-fsyncs' }
>;

/** How long others must be let alone to tell a node that its drive has lied, in milliseconds. */
const QUIET_MS = 4_000;

export class Amnesia {
  readonly #components: AmnesiaComponents;
  #quietUntilMs = 0;
  #isOver = false;

  constructor(components: AmnesiaComponents) {
    this.#components = components;
  }

  /**
   * Nothing else may go wrong now. What a drive lost that only said that it had written can be known by the others
   * alone; while those who know are out of reach, no system can tell (src/metadata/vouching.ts says so), so that this is
   * one fault together with their absence, and beyond any budget.
   */
  get isQuiet(): boolean {
    return this.#components.world.nowMs < this.#quietUntilMs;
  }

  /** Nobody is robbed any more. */
  stop(): void {
    this.#isOver = true;
  }

  inflict(fault: AmnesiaFault, node: MetadataProcess | undefined): void {
    if (node === undefined) return;
    switch (fault.kind) {
      case 'wipe':
        this.#rob(node, fault.forMs, () => node.machine.wipe());
        return;
      case 'misdirected-write':
        this.#rob(node, fault.forMs, () => void node.machine.misdirect());
        return;
      case 'bit-rot':
        if (fault.part === 'rows') return this.#rotRows(node);
        this.#rob(node, fault.forMs, () => void node.machine.rot(fault.part));
        return;
      case 'roll-back': {
        const image = node.machine.image();
        this.#components.world.after(fault.backMs, () =>
          this.#rob(node, fault.forMs, () => node.machine.putBack(image, { asCopy: true })),
        );
        return;
      }
      case 'lost-fsyncs': {
        const image = node.machine.image();
        const wasAlone = isAlone(node);
        this.#components.world.after(fault.backMs, () => {
          if (this.#isOver || wasAlone || isAlone(node) || !this.#areOthersWell(node))
            return this.#components.coverage.saw('faults spared by the budget');
          this.#quietUntilMs = this.#components.world.nowMs + QUIET_MS;
          const knower = this.#whoKnowsMore(node, image);
          const isRobbed = this.#rob(node, 0, () => node.machine.putBack(image, { asCopy: false }));
          if (isRobbed && knower !== undefined) this.#mustBeToldBy(knower, node);
        });
      }
    }
  }

  /** Rows are seen to be rotten while the node runs, or when it starts: its log has them all, or others do. */
  #rotRows(node: MetadataProcess): void {
    if (this.#components.budget.takes(node)) node.machine.rot('rows');
  }

  /**
   * Killed, not cut off from power: the marker that tells of a loss is in the page cache for up to 63 writes
   * (log-marker.ts), and power and rot in the same moment are more than it guards against. Says whether it was done.
   */
  #rob(node: MetadataProcess, forMs: number, harm: () => void): boolean {
    const { roster, budget, say } = this.#components;
    if (this.#isOver || roster.isGone(node) || !budget.takes(node)) return false;
    say(`node ${node.number} loses what it has promised`);
    node.crash('refused');
    harm();
    roster.startLater(node, forMs);
    return true;
  }

  /** Somebody who has heard of `node` what is not in the image: that it has an entry, or that it leads. */
  #whoKnowsMore({ number }: MetadataProcess, { log }: DiskImage): MetadataProcess | undefined {
    const kept = log.prospect();
    const { hardState } = kept.initialState();
    return this.#components.roster.running().find((other) => {
      if (other.number === number || other.node === undefined) return false;
      const { progress, lead, term } = other.node.status();
      const heard = progress.find(({ id }) => id === number)?.match ?? 0;
      return heard > kept.lastIndex() || (lead === number && term > hardState.term);
    });
  }

  /**
   * That nothing came of it is no proof: a leader brings a follower that has lost something up to date within milliseconds, and
   * only an election in between would show what was wrong.
   */
  #mustBeToldBy(knower: MetadataProcess, node: MetadataProcess): void {
    const { world, roster, coverage, fail } = this.#components;
    coverage.saw('promises lost that others remember');
    const runs = [knower.runs, node.runs + 1];
    world.after(QUIET_MS, () => {
      const isUndisturbed = [knower, node].every(
        (each, place) => each.isRunning && !each.isPaused && each.runs === runs[place],
      );
      if (!isUndisturbed || roster.isGone(node)) return;
      const text = `Node ${node.number} takes part under its number without what node ${knower.number} has heard of it`;
      fail(new SafetyViolation(text));
    });
  }

  #areOthersWell(node: MetadataProcess): boolean {
    const { roster, weather } = this.#components;
    const others = roster.nodes().filter((other) => other !== node && !roster.isGone(other));
    return !weather.isRough && others.every((other) => other.isRunning && !other.isPaused);
  }
}

/**
 * The only one that votes, as far as its disk knows: what its drive has lost nobody could tell it. Those who came since do not
 * count: it has never heard of them, and asks nobody (seed 62455, hell).
 */
function isAlone(node: MetadataProcess): boolean {
  const electorates = electoratesIn(node);
  return electorates.length === 0 || electorates.some((voters) => voters.length <= 1);
}
