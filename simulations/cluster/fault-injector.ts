/** @module Makes the faults of a scenario happen to the cluster as it is at that time. */
import type { Client } from '../../src/client/client.ts';
import { describeError } from '../../src/common/errors.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { SimulatedSwitch } from '../world/simulated-switch.ts';
import type { CutMode, Weather } from '../world/weather.ts';
import type { World } from '../world/world.ts';
import { describeFault, type Fault } from './faults.ts';
import type { Coverage } from './coverage.ts';
import type { MetadataProcess } from './metadata-process.ts';

/** A supervisor kills what does not stop in this time, in milliseconds. */
const STOP_GRACE_MS = 10_000;

/** The cluster, as far as faults need to know it. */
export interface Roster {
  nodes(): readonly MetadataProcess[];
  running(): readonly MetadataProcess[];
  leader(): MetadataProcess | undefined;
  /** Of nodes and clients. */
  peers(): readonly PeerId[];
  /** Unless there are enough. */
  addNode(): void;
  /** Unless it is removed meanwhile. */
  startLater(process: MetadataProcess, afterMs: number): void;
  /** Who administers the cluster; undefined before there is one. */
  readonly admin: { readonly actor: { readonly client: Client } } | undefined;
}

export interface FaultInjectorComponents {
  readonly world: World;
  readonly weather: Weather;
  readonly links: SimulatedSwitch;
  readonly coverage: Coverage;
  readonly roster: Roster;
  readonly say: (text: string) => void;
}

interface Cut {
  readonly mode: CutMode;
  readonly oneWay: boolean;
  readonly forMs: number;
}

export class FaultInjector {
  readonly #components: FaultInjectorComponents;

  constructor(components: FaultInjectorComponents) {
    this.#components = components;
  }

  inject(fault: Fault): void {
    const { roster, weather, links, world, coverage } = this.#components;
    this.#components.say(`fault: ${describeFault(fault)}`);
    coverage.saw(`fault: ${fault.kind}`);
    switch (fault.kind) {
      case 'crash':
        return this.#crash(this.#at(fault.node), fault.mode, fault.forMs);
      case 'crash-all':
        for (const process of roster.running()) this.#crash(process, fault.mode, fault.forMs);
        return;
      case 'crash-leader':
        return this.#crash(roster.leader(), fault.mode, fault.forMs);
      case 'isolate-leader': {
        const leader = roster.leader();
        const others = roster
          .nodes()
          .filter((process) => process !== leader)
          .flatMap(peersOf);
        return this.#cut(peersOf(leader), others, fault);
      }
      case 'restart':
        return this.#restart(this.#at(fault.node), fault.forMs);
      case 'pause': {
        const process = this.#at(fault.node);
        process?.pause();
        world.after(fault.forMs, () => process?.resume());
        return;
      }
      case 'clock-jump':
        return this.#at(fault.node)?.machine.clock.jump(fault.byMs);
      case 'clock-drift':
        return this.#at(fault.node)?.machine.clock.drift(fault.rate);
      case 'partition': {
        const peers = roster.peers();
        const isLeft = (place: number): boolean => ((fault.sides >> (place % 16)) & 1) === 1;
        const left = peers.filter((_, place) => isLeft(place));
        return this.#cut(
          left,
          peers.filter((peer) => !left.includes(peer)),
          fault,
        );
      }
      case 'cut-link':
        return this.#cut(peersOf(this.#at(fault.node)), peersOf(this.#at(fault.other)), fault);
      case 'clog':
        for (const from of peersOf(this.#at(fault.node)))
          for (const to of peersOf(this.#at(fault.other))) weather.clog(from, to, world.nowMs + fault.forMs);
        return;
      case 'snap':
        for (const a of peersOf(this.#at(fault.node)))
          for (const b of peersOf(this.#at(fault.other))) links.snap(a, b);
        return;
      case 'slow-disk': {
        const health = this.#at(fault.node)?.machine.health;
        if (health === undefined) return;
        const { slowestSyncMs } = health;
        health.slowestSyncMs = fault.slowestSyncMs;
        world.after(fault.forMs, () => {
          health.slowestSyncMs = Math.min(health.slowestSyncMs, slowestSyncMs);
        });
        return;
      }
      case 'disk-failure': {
        const process = this.#at(fault.node);
        if (process !== undefined) process.machine.health.nextFailure = fault.failure;
        return;
      }
      case 'add-node':
        return roster.addNode();
      case 'remove-node':
        return this.#administer(fault, (admin, number) => admin.removeMember(number));
      case 'transfer':
        return this.#administer(fault, (admin, number) => admin.transferLeader(number));
    }
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

  #crash(process: MetadataProcess | undefined, mode: 'silent' | 'refused', forMs: number): void {
    if (process === undefined) return;
    process.crash(mode);
    this.#components.roster.startLater(process, forMs);
  }

  #restart(process: MetadataProcess | undefined, forMs: number): void {
    if (process === undefined || process.isPaused) return;
    const { world, roster, say } = this.#components;
    const { runs } = process;
    const stopped = process
      .stop()
      .catch((error: unknown) => say(`node ${process.number}: ${describeError(error)}`));
    world.after(STOP_GRACE_MS, () => {
      if (process.runs === runs) process.crash('refused');
    });
    void stopped.finally(() => roster.startLater(process, forMs));
  }

  #cut(left: readonly PeerId[], right: readonly PeerId[], { mode, oneWay, forMs }: Cut): void {
    const { world, weather } = this.#components;
    const there = left.flatMap((from) => right.map((to) => [from, to] as const));
    const pairs = oneWay ? there : there.flatMap(([from, to]) => [[from, to] as const, [to, from] as const]);
    for (const [from, to] of pairs) if (from !== to) weather.cut(from, to, mode);
    world.after(forMs, () => {
      for (const [from, to] of pairs) weather.heal(from, to);
    });
  }

  #at(place: number): MetadataProcess | undefined {
    const running = this.#components.roster.running();
    return running[place % Math.max(1, running.length)];
  }
}

function peersOf(process: MetadataProcess | undefined): readonly PeerId[] {
  return process === undefined ? [] : [process.peer];
}
