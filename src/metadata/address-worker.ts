/** @module Keeps the registry's addresses true: each metadata node its own, the leader those of the datanodes. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { type Member, UpdateMember } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import { ACTIVE, type MemberDirectory } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface AddressWorkerComponents {
  readonly network: Pick<Network, 'localPeer' | 'addresses' | 'learn'>;
  readonly machine: Pick<StateMachine, 'featureLevel'>;
  readonly members: Pick<MemberDirectory, 'byNumber' | 'withRole'>;
  readonly registry: Pick<DatanodeRegistry, 'registrations'>;
  readonly driver: Pick<RaftDriver, 'id' | 'leader' | 'isLeader'>;
  readonly proposer: Pick<Proposer, 'submitInternal'>;
}

const IDLE_MS = 1_000;

/** Also teaches the network where members are, so that any of them can be called. */
export class AddressWorker implements BackgroundWorker {
  readonly name = 'addresses';
  readonly idleMs: number = IDLE_MS;
  readonly #components: AddressWorkerComponents;
  /** The lists of members whose addresses the network knows. */
  #taught: readonly (readonly Member[])[] = [];

  constructor(components: AddressWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    this.#teach();
    if (this.#components.driver.leader === 0) return 'idle';
    const changed = this.#changed();
    if (changed === undefined) return 'idle';
    await this.#components.proposer.submitInternal({ $case: 'updateMember', value: changed }, signal);
    return 'idle';
  }

  /** Only those that are new: among a thousand members to read all addresses every second is most of what there is to do. */
  #teach(): void {
    const { network, members } = this.#components;
    const lists = [members.withRole('meta'), members.withRole('data')];
    for (const [at, list] of lists.entries()) {
      const before = this.#taught[at];
      if (list === before) continue;
      const known = new Set(before);
      for (const member of list)
        if (!known.has(member) && member.peer !== network.localPeer && member.addresses.length > 0)
          network.learn(member.peer, member.addresses);
    }
    this.#taught = lists;
  }

  /**
   * Names only what changed: all else that is known here may be older than the registry. A node that has just joined knows
   * itself by its seeds alone, without its further roles.
   */
  #changed(): UpdateMember | undefined {
    const { network, members, machine, registry, driver } = this.#components;
    const self = members.byNumber(driver.id);
    const own = network.addresses();
    if (self?.state === ACTIVE && own.length > 0 && !sameSet(self.addresses, own))
      return UpdateMember.fromPartial({ number: self.number, addresses: [...own] });
    if (!driver.isLeader) return undefined;
    for (const { node, addresses, host, zone, hostGroup } of registry.registrations()) {
      const member = members.byNumber(node);
      if (member?.state !== ACTIVE || node === driver.id || addresses.length === 0) continue;
      const place = UpdateMember.fromPartial({
        host: host === member.host ? '' : host,
        zone: zone === undefined || zone === member.zone ? '' : zone,
        ...(machine.featureLevel >= 2 && hostGroup !== member.hostGroup && { hostGroup }),
      });
      const isElsewhere = place.host !== '' || place.zone !== '' || Boolean(place.hostGroup);
      if (!sameSet(member.addresses, addresses) || isElsewhere)
        return { ...place, number: node, addresses: [...addresses] };
    }
    return undefined;
  }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}
