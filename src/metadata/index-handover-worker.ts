/** @module Keeps this node's part of the location index whole while metadata nodes come and go. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { LocationIndex } from './location-index.ts';

export interface IndexHandoverComponents {
  readonly index: LocationIndex;
}

/** Looks for a change of the members this often, in milliseconds. */
const IDLE_MS = 200;

export class IndexHandoverWorker implements BackgroundWorker {
  readonly name = 'index-handover';
  readonly idleMs: number = IDLE_MS;
  readonly #index: LocationIndex;

  constructor({ index }: IndexHandoverComponents) {
    this.#index = index;
  }

  work(signal: AbortSignal): Promise<WorkState> {
    return this.#index.work(signal);
  }
}
