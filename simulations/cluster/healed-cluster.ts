/** @module What must hold of a cluster when no more faults come: it serves, agrees, has what was acknowledged, and leaves nothing. */
import { MAX_SMALL_BLOCK_BYTES } from '../../src/client/small-blocks.ts';
import { DEFAULT_LEASE_MS } from '../../src/namespace/limits.ts';
import { Prng } from '../prng.ts';
import type { Workload } from '../workloads/workload.ts';
import type { World } from '../world/world.ts';
import type { BlockOracle } from './block-oracle.ts';
import type { ClusterRoster } from './cluster-roster.ts';
import type { Coverage } from './coverage.ts';
import type { FaultBudget } from './fault-budget.ts';
import type { Journal } from './journal.ts';
import { checkStores, isIncoming, isTidy, LONGEST_SILENCE_MS, stopAndCheck } from './leak-check.ts';
import type { NamespaceWatch } from './namespace-watch.ts';
import { collects, losesDisks, type Scenario } from './scenario.ts';

export interface HealedClusterComponents {
  readonly world: World;
  readonly coverage: Coverage;
  readonly journal: Journal;
  readonly roster: ClusterRoster;
  readonly budget: FaultBudget;
  readonly blocks: BlockOracle;
  readonly namespaces: NamespaceWatch;
  readonly workloads: readonly Workload[];
  readonly say: (text: string) => void;
}

/** More than all jumps of the clocks of a run come to. */
const PATIENCE_MS = 100 * 86_400_000;
const LOOK_MS = 100;
const CONVERGENCE_LOOK_MS = 1_000;

/** It waits as long as it takes: who calls knows how long that may be. */
export class HealedCluster {
  readonly #components: HealedClusterComponents;
  readonly #scenario: Scenario;

  constructor(components: HealedClusterComponents, scenario: Scenario) {
    this.#components = components;
    this.#scenario = scenario;
  }

  /** As many voters as it can spare are gone, and it serves. */
  async serveWithoutSome(): Promise<void> {
    const { budget, coverage, say } = this.#components;
    await this.#until(() => this.#isSettled());
    const away = budget.spareVoters(new Prng(this.#scenario.seed, 'away'));
    for (const process of away) process.crash('silent');
    say(`without ${away.map(({ number }) => number).join()}`);
    await this.#until(() => this.#isSettled());
    if (away.length > 0) coverage.saw('cores that served without the rest');
  }

  /** Somebody leads, and its configuration is the one in force. */
  #isSettled(): boolean {
    const status = this.#components.roster.leader()?.node?.status();
    return status !== undefined && status.committedInTerm && status.confState.votersOutgoing.length === 0;
  }

  /** All of it serves, knows what was acknowledged, agrees, and has left nothing; then it is stopped. Throws SafetyViolation. */
  async serveAgain(): Promise<void> {
    const { roster, workloads, journal } = this.#components;
    await this.#until(() => roster.leader() !== undefined);
    for (const client of roster.clients()) {
      await client.stop();
      // Every node it knew may have been removed while it was cut off; an administrator would tell it of others.
      await client.connect(roster.nodePeers());
    }
    // A client may have taken a datanode away in its last step (workloads/coming-and-going.ts).
    roster.heal();
    if (losesDisks(this.#scenario)) await this.#acceptLosses();
    const actors = roster.clients().map(({ actor }) => actor);
    for (const workload of workloads) await workload.check(actors);
    journal.check();
    await this.#until(() => this.#haveAgreed());
    if ((roster.leader()?.state?.featureLevel ?? 0) > this.#scenario.firstLevel)
      this.#components.coverage.saw('clusters raised to a newer feature level');
    await this.#compareNamespaces();
    await this.#checkBlocks();
  }

  /** What is on no disk any more cannot be got; everything else must be as ever. */
  async #acceptLosses(): Promise<void> {
    const { blocks, coverage, journal, say } = this.#components;
    await this.#until(() => this.#haveAgreed());
    if (!(await blocks.accept())) return;
    say('data lost beyond the policy');
    coverage.saw('data lost beyond the policy');
    journal.dataLost();
  }

  /** What lies on the disks is what the namespace wants and the index says, and nobody has left anything. */
  async #checkBlocks(): Promise<void> {
    const { roster, blocks, coverage, world } = this.#components;
    await blocks.checkCopies();
    for (const { machine } of roster.datanodes())
      coverage.saw('copies of large blocks', machine.platter.countAbove(MAX_SMALL_BLOCK_BYTES));
    while (!(await blocks.hasHealed())) {
      // Copies that have rotted unnoticed: a pass that is under way would not come back to those that it has read.
      if (roster.datanodes().some(({ machine }) => machine.platter.hasRot))
        await roster.clients()[0]?.actor.client.workers.control('data', 'scrub', 'run');
      await world.pass(CONVERGENCE_LOOK_MS);
    }
    while (!(await blocks.hasConverged())) await world.pass(CONVERGENCE_LOOK_MS);
    // Leases of clients that vanished end now; where clocks were set back since they were granted, in their own time all the same.
    for (const { machine } of roster.members()) machine.clock.jump(DEFAULT_LEASE_MS);
    await this.#until(() => isTidy(roster.members()));
    if (collects(this.#scenario)) await this.#checkGarbage();
    const silentSinceMs = world.nowMs;
    await this.#until(
      () => !isIncoming(roster.datanodes()) || world.nowMs > silentSinceMs + LONGEST_SILENCE_MS,
    );
    await checkStores(roster.datanodes());
    for (const process of [...roster.datanodes(), ...roster.running()]) await stopAndCheck(process);
  }

  /** Copies that were put aside while a clock was ahead wait until it is so late; so much time passes now, on all clocks. */
  async #checkGarbage(): Promise<void> {
    const { roster, blocks, world } = this.#components;
    for (const { machine } of roster.datanodes()) machine.clock.jump(PATIENCE_MS);
    while (!(await blocks.isGarbageGone())) await world.pass(CONVERGENCE_LOOK_MS);
  }

  /** All at one index: the cluster's own housekeeping may have added an entry between two looks. */
  async #compareNamespaces(): Promise<void> {
    for (;;) {
      const indexes = new Set<number>();
      for (const { state, number } of this.#components.roster.members()) {
        const found = await state?.namespaceHash();
        if (found !== undefined) this.#components.namespaces.compare(found, number);
        indexes.add(found?.index ?? 0);
      }
      if (indexes.size <= 1) return;
      await this.#components.world.pass(LOOK_MS);
    }
  }

  #haveAgreed(): boolean {
    const members = this.#components.roster.members();
    const applied = this.#components.roster.leader()?.node?.appliedIndex ?? 0;
    return (
      members.length > 0 && members.every(({ node }) => node !== undefined && node.appliedIndex >= applied)
    );
  }

  async #until(probe: () => boolean): Promise<void> {
    while (!probe()) await this.#components.world.pass(LOOK_MS);
  }
}
