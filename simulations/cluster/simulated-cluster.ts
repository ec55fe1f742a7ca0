/** @module A whole cluster in a world: founded, joined, put under faults, healed, and asked whether it serves again. */
import { Prng } from '../prng.ts';
import { NoProgress } from '../raft-cluster.ts';
import type { Trace } from '../trace.ts';
import { WORKLOADS } from '../workloads/all-workloads.ts';
import type { Workload } from '../workloads/workload.ts';
import { SimulatedSwitch } from '../world/simulated-switch.ts';
import { fair, Weather } from '../world/weather.ts';
import { World } from '../world/world.ts';
import { BlockOracle } from './block-oracle.ts';
import { ClusterOracle } from './cluster-oracle.ts';
import { ClusterRoster } from './cluster-roster.ts';
import { type ClusterWorld, traceLogger } from './cluster-world.ts';
import { Coverage } from './coverage.ts';
import { FaultBudget } from './fault-budget.ts';
import { FaultInjector } from './fault-injector.ts';
import { Journal } from './journal.ts';
import { ListingErrors } from './listing-errors.ts';
import { HandoverWatch } from './handover-watch.ts';
import { HealedCluster } from './healed-cluster.ts';
import { NamespaceWatch } from './namespace-watch.ts';
import type { Scenario } from './scenario.ts';

/** Bounds of the phases, in milliseconds of true time. */
const SETUP_LIMIT_MS = 60_000;
/** Longer than a snapshot, several elections and a client's patience take one after the other. */
const HEAL_LIMIT_MS = 120_000;
/** How long a cluster whose quorum is gone is watched for wrong answers. */
const BEREFT_MS = 20_000;
/** Of runs: those that end with a core alone at first. */
const CORE_SHARE = 0.5;
const LOOK_MS = 100;

interface WeightedWorkload {
  readonly weight: number;
  readonly workload: Workload;
}

export class SimulatedCluster {
  readonly world: World = new World();
  readonly coverage: Coverage = new Coverage();
  readonly oracle: ClusterOracle;
  readonly journal: Journal;
  readonly #scenario: Scenario;
  readonly #trace: Trace;
  readonly #weather: Weather;
  readonly #shared: ClusterWorld;
  readonly #roster: ClusterRoster;
  readonly #budget: FaultBudget;
  readonly #blocks: BlockOracle;
  readonly #namespaces: NamespaceWatch;
  readonly #workloads: readonly WeightedWorkload[];
  #failure: Error | undefined;

  constructor(scenario: Scenario, trace: Trace) {
    const { seed } = scenario;
    const { world } = this;
    this.#scenario = scenario;
    this.#trace = trace;
    this.oracle = new ClusterOracle({ trace, coverage: this.coverage });
    this.journal = new Journal({ world, trace });
    this.#weather = new Weather({ world, seed }, fair(scenario.weather));
    const links = new SimulatedSwitch({
      world,
      weather: this.#weather,
      random: new Prng(seed, 'connections'),
      observe: (wire) => {
        trace.foldNumber(world.nowMs);
        trace.foldNumber(wire);
      },
    });
    const listings = new ListingErrors({ world, coverage: this.coverage }, scenario);
    this.#shared = {
      world,
      links,
      oracle: this.oracle,
      coverage: this.coverage,
      handovers: new HandoverWatch(this.coverage),
      listings,
      logger: (name) => traceLogger({ trace, world, coverage: this.coverage }, name),
    };
    const say = (text: string): void => this.#say(text);
    this.#roster = new ClusterRoster(
      { shared: this.#shared, say, fail: (error) => this.#fail(error) },
      scenario,
    );
    this.#budget = new FaultBudget(
      {
        coverage: this.coverage,
        nodes: () => this.#roster.nodes().filter((node) => !this.#roster.isGone(node)),
      },
      { isUnlimited: scenario.isBeyondBudget },
    );
    this.#blocks = new BlockOracle({ roster: this.#roster, journal: this.journal });
    this.#namespaces = new NamespaceWatch(
      {
        world,
        coverage: this.coverage,
        running: () => this.#roster.running(),
        fail: (error) => this.#fail(error),
      },
      scenario,
    );
    this.#workloads = scenario.workloads.map((name) => {
      const { weight, make } = WORKLOADS[name];
      return {
        weight,
        workload: make({ journal: this.journal, datanodes: () => this.#roster.datanodes() }, scenario),
      };
    });
  }

  /** A founder, those that join it, and clients; no faults yet. */
  async setUp(): Promise<void> {
    await this.#drive('the cluster to be set up', SETUP_LIMIT_MS, this.#setUp());
  }

  /** Safety under faults. */
  async runFaulty(): Promise<void> {
    const { world } = this;
    const { faults, faultyMs, weather } = this.#scenario;
    const injector = new FaultInjector(
      {
        world,
        weather: this.#weather,
        links: this.#shared.links,
        listings: this.#shared.listings,
        oracle: this.oracle,
        coverage: this.coverage,
        roster: this.#roster,
        budget: this.#budget,
        journal: this.journal,
        say: (text) => this.#say(text),
        fail: (error) => this.#fail(error),
      },
      this.#scenario,
    );
    this.#weather.become(weather);
    if (weather.bytesPerMs !== undefined) this.coverage.saw('links of little bandwidth');
    if ((weather.lossProbability ?? 0) > 0) this.coverage.saw('links that lose packets');
    const choices = this.#workloads.flatMap(({ weight, workload }) =>
      Array.from({ length: weight }, () => workload),
    );
    this.#namespaces.start();
    for (const datanode of this.#roster.datanodes()) this.#blocks.watch(datanode);
    for (const client of this.#roster.clients())
      client.start({ choices, failed: (error) => this.#fail(error) });
    for (const fault of faults)
      if (fault.atMs < faultyMs) world.after(fault.atMs, () => injector.inject(fault));
    await world.run(world.nowMs + faultyMs, () => this.#look());
    injector.stop();
  }

  /**
   * Faults end, everything is put right; within bounded time all must agree and serve, after a core of them has served
   * without the rest. Where a quorum has lost what it knew, nobody need serve; but whoever does must not be wrong.
   */
  async healAndCheck(): Promise<void> {
    const healed = new HealedCluster(
      {
        world: this.world,
        coverage: this.coverage,
        journal: this.journal,
        roster: this.#roster,
        budget: this.#budget,
        blocks: this.#blocks,
        namespaces: this.#namespaces,
        workloads: this.#workloads.map(({ workload }) => workload),
        say: (text) => this.#say(text),
      },
      this.#scenario,
    );
    this.#say('healed');
    this.#weather.clearUp();
    this.#roster.heal();
    if (this.#budget.isQuorumLost) {
      await this.world.run(this.world.nowMs + BEREFT_MS, () => this.#look());
    } else {
      if (new Prng(this.#scenario.seed, 'core').chance(CORE_SHARE))
        await this.#drive('a core to serve without the rest', HEAL_LIMIT_MS, healed.serveWithoutSome());
      this.#roster.heal();
      await this.#drive('the healed cluster to serve and agree', HEAL_LIMIT_MS, healed.serveAgain());
    }
    this.journal.checkHistory();
  }

  async #setUp(): Promise<void> {
    const founder = await this.#roster.found();
    await this.#until(() => founder.node?.isLeader === true);
    for (let count = 1; count < this.#scenario.nodes; count += 1) await this.#roster.joinNode();
    for (let count = 0; count < this.#scenario.datanodes; count += 1) await this.#roster.joinDatanode();
    await this.#roster.joinClients();
    const { admin } = this.#roster;
    if (admin === undefined) throw new Error('the cluster has no administrator');
    for (const { workload } of this.#workloads) await workload.setUp(admin.actor);
  }

  async #until(probe: () => boolean): Promise<void> {
    while (!probe()) await this.world.pass(LOOK_MS);
  }

  async #drive(what: string, limitMs: number, task: Promise<void>): Promise<void> {
    let isDone = false;
    task.then(
      () => {
        isDone = true;
      },
      (error: unknown) => {
        isDone = true;
        this.#fail(error);
      },
    );
    await this.world.run(
      this.world.nowMs + limitMs,
      () => this.#look(),
      () => isDone,
    );
    this.#look();
    if (!isDone)
      throw new NoProgress(`Waited ${limitMs} ms in vain for ${what}:\n${this.#roster.describe()}`);
  }

  #look(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.oracle.look();
    this.journal.check();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  #say(text: string): void {
    this.#trace.add(`${(this.world.nowMs / 1000).toFixed(3)} ${text}`);
  }
}
