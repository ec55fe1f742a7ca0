/** @module What a process knows of the metadata nodes: by the registry, else as its datanode heard, else what it was told to begin with. */
import type { Membership } from '../../dht/membership-ring.ts';
import type { DataNode } from '../datanode/data-node.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { indexMembership, type ListVersion, metadataMembership } from '../protocol/index-membership.ts';
import type { BootstrapPeer, NodeConfig } from './node-config.ts';

export interface KnownMembersSources {
  readonly config: NodeConfig;
  readonly bootstrap: readonly BootstrapPeer[];
  readonly machine: () => StateMachine | undefined;
  readonly data: () => DataNode | undefined;
}

export class KnownMembers {
  readonly #sources: KnownMembersSources;

  constructor(sources: KnownMembersSources) {
    this.#sources = sources;
  }

  /** Who holds the location index. */
  index(): Membership {
    const registry = this.#registry();
    if (registry !== undefined) return indexMembership(registry.machine.members(), registry);
    return this.#sources.data()?.indexMembership() ?? this.#told();
  }

  /** Whose signature under a manifest counts. */
  signers(): Membership {
    const registry = this.#registry();
    if (registry !== undefined) return metadataMembership(registry.machine.members(), registry);
    return this.#sources.data()?.knownMetadata() ?? this.#told();
  }

  #registry(): (ListVersion & { readonly machine: StateMachine }) | undefined {
    const machine = this.#sources.machine();
    const version = machine?.counters().membersVersion ?? 0;
    if (machine === undefined || version === 0) return undefined;
    return { machine, version, epoch: machine.cluster()?.epoch ?? this.#sources.config.epoch };
  }

  #told(): Membership {
    return { epoch: 0, peers: this.#sources.bootstrap.map(({ peer }) => peer) };
  }
}
