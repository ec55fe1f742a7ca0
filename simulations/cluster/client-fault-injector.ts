/** @module Makes the faults of clients happen. */
import type { World } from '../world/world.ts';
import type { ClientFault } from './client-faults.ts';
import type { ClientProcess } from './client-process.ts';
import type { Journal } from './journal.ts';
import type { Roster } from './roster.ts';

export interface ClientFaultInjectorComponents {
  readonly world: World;
  readonly roster: Roster;
  readonly journal: Pick<Journal, 'vanished'>;
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
}

export class ClientFaultInjector {
  readonly #components: ClientFaultInjectorComponents;

  constructor(components: ClientFaultInjectorComponents) {
    this.#components = components;
  }

  inject(fault: ClientFault): void {
    const { roster, world } = this.#components;
    const clients = roster.clients();
    const client = clients[fault.client % clients.length];
    if (client === undefined) return;
    switch (fault.kind) {
      case 'client-crash':
        return this.#crash(client, fault);
      case 'client-pause':
        client.pause();
        return void world.after(fault.forMs, () => client.resume());
      case 'client-clock-jump':
        return client.machineClock.jump(fault.byMs);
      case 'client-clock-drift':
        return client.machineClock.drift(fault.rate);
    }
  }

  #crash(
    client: ClientProcess,
    { mode, forMs }: Extract<ClientFault, { readonly kind: 'client-crash' }>,
  ): void {
    const { world, roster, journal, fail } = this.#components;
    if (!client.isRunning) return;
    client.crash(mode);
    journal.vanished(client.id);
    world.after(forMs, () => void client.comeBack(roster.nodePeers()).catch(fail));
  }
}
