/** @module What a client of chaos does all the time, and what it looks at when all is well again. */
import type { Client } from '../../src/index.ts';
import type { SeededChoice } from './seeded-choice.ts';

export interface Worker {
  /** Of all workers of the run; names the client in histories. */
  readonly id: number;
  readonly client: Client;
  readonly choice: SeededChoice;
}

/** Setup, start, check, as FoundationDB's workloads have it. */
export interface Workload {
  readonly name: string;
  readonly workers: number;
  /** Once, on a cluster without faults. */
  setUp(client: Client): Promise<void>;
  /** One operation. Never throws for what a cluster under faults may answer. */
  one(worker: Worker): Promise<void>;
  /** On a whole cluster, when nobody works any more: everything is read once more. */
  lookAtAll(worker: Worker): Promise<void>;
}
