/** @module The ring of shard holders computed from the registry alone, as if everybody were in every routing table. */
import { Ring } from '../../dht/ring.ts';
import type { MetadataDiscovery } from '../../src/metadata/discovery-worker.ts';
import type { StateMachine } from '../../src/namespace/state-machine.ts';
import type { PeerId } from '../../src/network/network.ts';

export class RegistryRing implements MetadataDiscovery {
  readonly self: PeerId;
  readonly #machine: StateMachine;

  constructor(machine: StateMachine, self: PeerId) {
    this.#machine = machine;
    this.self = self;
  }

  refresh(): void {}

  async provide(): Promise<number> {
    return 1;
  }

  closest(shard: number, count: number): readonly PeerId[] {
    return this.#ring().closest(shard, count);
  }

  all(): readonly PeerId[] {
    return this.#ring().all();
  }

  #ring(): Ring {
    const nodes = this.#machine
      .members()
      .filter(({ roles, state }) => roles.includes('meta') && state === 'active');
    return new Ring(
      nodes.map(({ peer }) => peer),
      this.self,
    );
  }
}
