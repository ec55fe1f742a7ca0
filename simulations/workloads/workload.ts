/** @module What clients do in a run and the one line that must hold of it, in FoundationDB's manner: set up, step, check. */
import type { Client } from '../../src/client/client.ts';
import type { Mutations } from '../../src/client/mutations.ts';
import type { Journal } from '../cluster/journal.ts';
import type { Prng } from '../prng.ts';
import type { BlockPlatter } from '../world/block-platter.ts';
import type { CutMode } from '../world/weather.ts';

/** A client at work. */
export interface Actor {
  /** From 0; the administrator's is the number of clients. */
  readonly id: number;
  readonly client: Client;
  /** For commands that the client itself sends only as parts of larger operations. */
  readonly mutations: Mutations;
  readonly random: Prng;
}

/** A datanode, as far as workloads have to do with it. */
export interface WorkloadDatanode {
  readonly number: number;
  readonly machine: { readonly platter: BlockPlatter };
  readonly isRunning: boolean;
  start(): void;
  crash(mode: CutMode): void;
}

export interface WorkloadComponents {
  readonly journal: Journal;
  readonly datanodes: () => readonly WorkloadDatanode[];
}

export interface WorkloadOptions {
  /** How many actors step. */
  readonly clients: number;
  readonly registers: number;
  /** The cluster's default, where it is more than the smallest there is. */
  readonly blockSizeBytes?: number;
}

/** One of a run, shared by its clients: it knows what all of them were told. */
export interface Workload {
  /** Makes what the steps need, on a cluster without faults. */
  setUp(admin: Actor): Promise<void>;
  /** One operation. Throws only what no client may meet; a broken invariant goes to the journal. */
  step(actor: Actor): Promise<void>;
  /** On a healed cluster, when nobody steps any more: what was acknowledged is there, and nothing else. */
  check(actors: readonly Actor[]): Promise<void>;
}
