/** @module Keeps on disk what this node remembers of the others, so that it outlives a restart. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { isMetadataNode, type MemberDirectory } from './member-directory.ts';
import type { Witness, WitnessStore } from './witness.ts';

export interface WitnessWorkerComponents {
  readonly witness: Witness;
  readonly witnessStore: WitnessStore;
  readonly members: MemberDirectory;
}

/** The memory of a node that is killed is older by so much, at most, in milliseconds. */
const IDLE_MS = 5_000;

export class WitnessWorker implements BackgroundWorker {
  readonly name = 'witness';
  readonly idleMs: number = IDLE_MS;
  readonly #components: WitnessWorkerComponents;
  #saved = 0;

  constructor(components: WitnessWorkerComponents) {
    this.#components = components;
  }

  async work(): Promise<WorkState> {
    const { witness, witnessStore, members } = this.#components;
    const { changes } = witness;
    if (changes === this.#saved) return 'idle';
    await witnessStore.save(witness.remembered((number) => !isMetadataNode(members.byNumber(number))));
    this.#saved = changes;
    return 'idle';
  }
}
