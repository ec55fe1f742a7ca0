/** @module Makes the faults of datanodes happen. */
import { Prng } from '../prng.ts';
import type { SimulatedSwitch } from '../world/simulated-switch.ts';
import type { DataProcess } from './data-process.ts';
import type { DatanodeFault } from './datanode-faults.ts';
import type { FaultActions } from './fault-actions.ts';
import type { ListingErrors } from './listing-errors.ts';
import type { Roster } from './roster.ts';

export interface DatanodeFaultInjectorComponents {
  readonly actions: FaultActions;
  readonly links: SimulatedSwitch;
  readonly listings: ListingErrors;
  readonly roster: Roster;
  readonly say: (text: string) => void;
}

export interface DatanodeFaultInjectorOptions {
  readonly seed: number;
  /** Place of the only datanode that ever loses copies, counted round. */
  readonly victim: number;
}

export class DatanodeFaultInjector {
  readonly #components: DatanodeFaultInjectorComponents;
  readonly #victim: number;
  readonly #random: Prng;

  constructor(components: DatanodeFaultInjectorComponents, { seed, victim }: DatanodeFaultInjectorOptions) {
    this.#components = components;
    this.#victim = victim;
    this.#random = new Prng(seed, 'damage');
  }

  inject(fault: DatanodeFault): void {
    const { actions, links, roster } = this.#components;
    switch (fault.kind) {
      case 'data-crash':
        return actions.crash(this.#at(fault.node), fault.mode, fault.forMs);
      case 'data-crash-all':
        for (const process of this.#running()) actions.crash(process, fault.mode, fault.forMs);
        return;
      case 'data-restart':
        return actions.restart(this.#at(fault.node), fault.forMs);
      case 'data-pause':
        return actions.pause(this.#at(fault.node), fault.forMs);
      case 'data-clock-jump':
        return this.#at(fault.node)?.machine.clock.jump(fault.byMs);
      case 'data-clock-drift':
        return this.#at(fault.node)?.machine.clock.drift(fault.rate);
      case 'data-partition': {
        const process = this.#at(fault.node);
        if (process === undefined) return;
        const others = roster.peers().filter((_, place) => ((fault.sides >> (place % 16)) & 1) === 1);
        return actions.cut([process.peer], others, fault);
      }
      case 'data-snap': {
        const process = this.#at(fault.node);
        if (process !== undefined) for (const peer of roster.peers()) links.snap(process.peer, peer);
        return;
      }
      case 'data-slow-disk':
        return actions.slowDisk(this.#at(fault.node), fault.slowestSyncMs, fault.forMs);
      case 'data-disk-failure': {
        const process = this.#at(fault.node);
        if (process !== undefined) process.machine.health.nextFailure = fault.failure;
        return;
      }
      case 'data-listing-errors':
        return this.#components.listings.failFor(fault.forMs);
      case 'data-wipe':
        return this.#damage(fault, ({ machine }) => void machine.platter.wipe());
      case 'data-tear':
        return this.#damage(fault, ({ machine }) => machine.platter.tear(this.#random));
      case 'data-loss':
        return this.#lose(fault);
      case 'data-misdirected-write': {
        const hashes = this.#victimProcess()?.machine.platter.misdirect(this.#random) ?? [];
        return this.#components.say(`misdirected: ${hashes.join(' over ') || 'nothing'}`);
      }
      case 'data-rot': {
        const hash = this.#victimProcess()?.machine.platter.rot(this.#random);
        return this.#components.say(`rotten: ${hash ?? 'nothing'}`);
      }
    }
  }

  /** The disk of the victim is changed while nothing runs on it. */
  #damage(
    { mode, forMs }: Extract<DatanodeFault, { readonly kind: 'data-wipe' | 'data-tear' }>,
    damage: (victim: DataProcess) => string | void,
  ): void {
    const victim = this.#victimProcess();
    if (victim === undefined) return;
    victim.crash(mode);
    this.#components.say(`datanode ${victim.number} is damaged: ${damage(victim) ?? 'all of it'}`);
    this.#components.actions.crash(victim, mode, forMs);
  }

  #lose({ node, disks, mode, forMs }: Extract<DatanodeFault, { readonly kind: 'data-loss' }>): void {
    const all = this.#components.roster.datanodes();
    for (let count = 0; count < Math.min(disks, all.length); count += 1) {
      const process = all[(node + count) % all.length];
      if (process === undefined) continue;
      process.crash(mode);
      process.machine.platter.wipe();
      this.#components.actions.crash(process, mode, forMs);
    }
  }

  #victimProcess(): DataProcess | undefined {
    const all = this.#components.roster.datanodes();
    return all[this.#victim % Math.max(1, all.length)];
  }

  #at(place: number): DataProcess | undefined {
    const running = this.#running();
    return running[place % Math.max(1, running.length)];
  }

  #running(): readonly DataProcess[] {
    return this.#components.roster.datanodes().filter(({ isRunning }) => isRunning);
  }
}
