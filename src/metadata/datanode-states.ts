/** @module What each datanode is to the cluster: as committed, and until the cluster commits it, as heard here. */
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import {
  heartbeatPeriodMs,
  type Liveness,
  type LivenessSettings,
  livenessSettings,
} from './liveness-judge.ts';
import { ACTIVE, type MemberDirectory } from './member-directory.ts';
import type { PlacementCandidate } from './placement.ts';

export interface DatanodeStatesComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
}

/** The feature level from which on transitions are committed. */
export const LIVENESS_LEVEL = 2;

export class DatanodeStates {
  readonly #components: DatanodeStatesComponents;

  constructor(components: DatanodeStatesComponents) {
    this.#components = components;
  }

  get settings(): LivenessSettings {
    return livenessSettings(this.#components.machine.cluster());
  }

  /** How often each datanode shall report, in milliseconds. */
  get periodMs(): number {
    return heartbeatPeriodMs(this.settings, this.#components.members.withRole('data').length);
  }

  /** `dead` for whoever has left. */
  liveness(node: number): Liveness {
    const { members, machine, registry } = this.#components;
    const member = members.byNumber(node);
    if (member?.state !== ACTIVE) return 'dead';
    const committed = machine.featureLevel >= LIVENESS_LEVEL ? committedLiveness(member) : undefined;
    return committed ?? registry.liveness(node);
  }

  /** Whether copies there can be read, as far as the cluster knows. */
  isLive(node: number): boolean {
    const liveness = this.liveness(node);
    return liveness === 'alive' || liveness === 'suspect';
  }

  /** '' for one that is not being emptied. */
  drain(node: number): string {
    return this.#components.members.byNumber(node)?.drain ?? '';
  }

  /** Whether copies there are among those that the policy wants: on a datanode that lives and stays. */
  isCounted(node: number): boolean {
    return this.isLive(node) && this.drain(node) === '';
  }

  /** The datanodes new blocks may go to now: they must be heard here, or nothing is known of their room. */
  candidates(): PlacementCandidate[] {
    return this.#components.registry
      .candidates()
      .filter(({ node }) => this.liveness(node) === 'alive' && this.drain(node) === '');
  }
}

function committedLiveness({ liveness }: Member): Liveness | undefined {
  return liveness === 'alive' || liveness === 'suspect' || liveness === 'dead' ? liveness : undefined;
}
