/** @module Makes the faults of a scenario happen to the cluster as it is at that time. */
import type { Roster } from './roster.ts';
import type { Client } from '../../src/client/client.ts';
import { describeError } from '../../src/common/errors.ts';
import { FIRST_FEATURE_LEVEL, SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { SimulatedSwitch } from '../world/simulated-switch.ts';
import type { Weather } from '../world/weather.ts';
import type { World } from '../world/world.ts';
import { describeFault, type Fault } from './faults.ts';
import type { ClusterOracle } from './cluster-oracle.ts';
import type { Coverage } from './coverage.ts';
import { Amnesia } from './amnesia.ts';
import { ClientFaultInjector } from './client-fault-injector.ts';
import { isClientFault } from './client-faults.ts';
import { DatanodeFaultInjector, type DatanodeFaultInjectorOptions } from './datanode-fault-injector.ts';
import { isDatanodeFault } from './datanode-faults.ts';
import { FaultActions } from './fault-actions.ts';
import type { FaultBudget } from './fault-budget.ts';
import type { Journal } from './journal.ts';
import type { ListingErrors } from './listing-errors.ts';
import type { MetadataProcess } from './metadata-process.ts';
import type { Moment } from './moment.ts';
import type { PowerCut } from './power-cuts.ts';

export interface FaultInjectorComponents {
  readonly world: World;
  readonly weather: Weather;
  readonly links: SimulatedSwitch;
  readonly listings: ListingErrors;
  readonly oracle: Pick<ClusterOracle, 'atNext'>;
  readonly coverage: Coverage;
  readonly roster: Roster;
  readonly budget: FaultBudget;
  readonly journal: Journal;
  readonly say: (text: string) => void;
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
}

export class FaultInjector {
  readonly #components: FaultInjectorComponents;
  readonly #amnesia: Amnesia;
  #isOver = false;
  readonly #actions: FaultActions;
  readonly #datanodes: DatanodeFaultInjector;
  readonly #clients: ClientFaultInjector;

  constructor(components: FaultInjectorComponents, options: DatanodeFaultInjectorOptions) {
    const { roster } = components;
    this.#components = components;
    this.#actions = new FaultActions({
      ...components,
      startLater: (process, afterMs) => roster.startLater(process, afterMs),
    });
    this.#datanodes = new DatanodeFaultInjector({ ...components, actions: this.#actions }, options);
    this.#clients = new ClientFaultInjector(components);
    this.#amnesia = new Amnesia(components);
  }

  /** What was begun goes no further. */
  stop(): void {
    this.#isOver = true;
    this.#amnesia.stop();
  }

  inject(fault: Fault): void {
    const { roster, weather, links, world, coverage } = this.#components;
    if (this.#amnesia.isQuiet) return;
    this.#components.say(`fault: ${describeFault(fault)}`);
    coverage.saw(`fault: ${fault.kind}`);
    if (isDatanodeFault(fault)) return this.#datanodes.inject(fault);
    if (isClientFault(fault)) return this.#clients.inject(fault);
    const actions = this.#actions;
    switch (fault.kind) {
      case 'crash':
        return actions.crash(this.#at(fault.node), fault.mode, fault.forMs);
      case 'crash-all':
        for (const process of roster.running()) actions.crash(process, fault.mode, fault.forMs);
        return;
      case 'crash-leader':
        return actions.crash(roster.leader(), fault.mode, fault.forMs);
      case 'crash-at':
        return this.#components.oracle.atNext({ moment: fault.moment }, () =>
          world.after(fault.afterMs, () => {
            if (this.#isOver) return;
            const victim = fault.node % 3 === 0 ? this.#at(fault.node) : roster.leader();
            actions.crash(victim, fault.mode, fault.forMs);
          }),
        );
      case 'cut-power-in-write':
        return this.#cutPowerAt('log-write', fault);
      case 'cut-power-at-compaction':
        return this.#cutPowerAt('compaction', fault);
      case 'isolate-leader': {
        const leader = roster.leader();
        const others = roster
          .nodes()
          .filter((process) => process !== leader)
          .flatMap(peersOf);
        return actions.cut(peersOf(leader), others, fault);
      }
      case 'restart':
        return actions.restart(this.#at(fault.node), fault.forMs);
      case 'pause':
        return actions.pause(this.#at(fault.node), fault.forMs);
      case 'clock-jump':
        return this.#at(fault.node)?.machine.clock.jump(fault.byMs);
      case 'clock-drift':
        return this.#at(fault.node)?.machine.clock.drift(fault.rate);
      case 'partition': {
        const peers = roster.peers();
        const isLeft = (place: number): boolean => ((fault.sides >> (place % 16)) & 1) === 1;
        const left = peers.filter((_, place) => isLeft(place));
        return actions.cut(
          left,
          peers.filter((peer) => !left.includes(peer)),
          fault,
        );
      }
      case 'cut-link':
        return actions.cut(peersOf(this.#at(fault.node)), peersOf(this.#at(fault.other)), fault);
      case 'clog':
        for (const from of peersOf(this.#at(fault.node)))
          for (const to of peersOf(this.#at(fault.other))) weather.clog(from, to, world.nowMs + fault.forMs);
        return;
      case 'snap':
        for (const a of peersOf(this.#at(fault.node)))
          for (const b of peersOf(this.#at(fault.other))) links.snap(a, b);
        return;
      case 'slow-disk':
        return actions.slowDisk(this.#at(fault.node), fault.slowestSyncMs, fault.forMs);
      case 'disk-failure': {
        const process = this.#at(fault.node);
        if (process !== undefined) process.machine.health.nextFailure = fault.failure;
        return;
      }
      case 'bit-rot':
        return this.#afterWrite(fault.afterWriteMs, this.#at(fault.node), (node) =>
          this.#amnesia.inflict(fault, node),
        );
      case 'wipe':
      case 'misdirected-write':
      case 'roll-back':
      case 'lost-fsyncs':
        return this.#amnesia.inflict(fault, this.#at(fault.node));
      case 'upgrade':
      case 'downgrade': {
        const process = this.#at(fault.node);
        process?.install(fault.kind === 'upgrade' ? SUPPORTED_FEATURE_LEVEL : FIRST_FEATURE_LEVEL);
        return actions.restart(process, fault.forMs);
      }
      case 'add-node':
        return roster.addNode();
      case 'remove-node':
        return this.#administer(fault, (admin, number) => admin.removeMember(number));
      case 'transfer':
        return this.#administer(fault, (admin, number) => admin.transferLeader(number));
    }
  }

  /**
   * Of this node, when it is there next. At a write, what is written then is torn, or not there, or there although nobody was
   * told; at a compaction, what the log has dropped must be in the rows on the disk.
   */
  #cutPowerAt(moment: Moment, { node, forMs }: PowerCut): void {
    const { oracle, world } = this.#components;
    const victim = this.#at(node);
    if (victim === undefined) return;
    oracle.atNext({ moment, node: victim.number }, () =>
      world.after(0, () => {
        if (!this.#isOver) this.#actions.crash(victim, 'silent', forMs);
      }),
    );
  }

  /** At once without `afterMs`. */
  #afterWrite(
    afterMs: number | undefined,
    node: MetadataProcess | undefined,
    strike: (node: MetadataProcess | undefined) => void,
  ): void {
    if (afterMs === undefined || node === undefined) return strike(node);
    const { oracle, world } = this.#components;
    oracle.atNext({ moment: 'log-write', node: node.number }, () => world.after(afterMs, () => strike(node)));
  }

  #administer(
    fault: { readonly kind: string; readonly node: number },
    request: (admin: Client, number: number) => Promise<unknown>,
  ): void {
    const process = this.#at(fault.node);
    const { roster, say } = this.#components;
    const { admin } = roster;
    if (process === undefined || admin === undefined) return;
    request(admin.actor.client, process.number).then(
      () => say(`${fault.kind} ${process.number} done`),
      (error: unknown) => say(`${fault.kind} ${process.number}: ${describeError(error)}`),
    );
  }

  #at(place: number): MetadataProcess | undefined {
    const running = this.#components.roster.running();
    return running[place % Math.max(1, running.length)];
  }
}

function peersOf(process: MetadataProcess | undefined): readonly PeerId[] {
  return process === undefined ? [] : [process.peer];
}
