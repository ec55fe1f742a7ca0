/** @module Leases: several clients open the same files, and no two are given the same fencing token (the oracle sees what is granted). */
import type { CreateFile } from '../../src/namespace/schema.ts';
import type { Journal } from '../cluster/journal.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const PATHS = 2;

export class Leases implements Workload {
  readonly #journal: Journal;

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp(): Promise<void> {}

  async step({ id, mutations, random }: Actor): Promise<void> {
    const path = `/leased-${random.int(PATHS)}`;
    await this.#journal.attempt({ client: id, what: `write ${path}` }, async () => {
      const { kind } = await mutations.run({ $case: 'createFile', value: newFile(path) });
      if (kind?.$case !== 'grant') return;
      const { inode, fencingToken } = kind.value;
      const close = { inode, fencingToken, precondition: undefined, mtimeMs: 0 };
      await mutations.run({ $case: 'closeFile', value: close });
    });
  }

  async check(): Promise<void> {}
}

function newFile(path: string): CreateFile {
  return {
    path,
    parents: false,
    replication: 0,
    blockSizeBytes: 0,
    leaseMs: 0,
    precondition: undefined,
    complete: false,
    blocks: [],
    mtimeMs: 0,
    attributes: undefined,
  };
}
