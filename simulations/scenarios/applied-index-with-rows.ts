/** @module S12: the state and the index that it is the state of become durable together (etcd#13766). */
import { deepEqual } from 'node:assert/strict';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { RowChange } from '../../src/storage/row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { ManualNamespace } from '../manual-namespace.ts';

const DIRECTORIES = 4;
/** More than any run makes. */
const MOST_WRITES = 16;

export const scenario: BugScenario = {
  claim:
    'a namespace that is opened after a crash between any two writes, and given the log, is as if there had been none',
  async run() {
    for (let survives = 0; survives < MOST_WRITES; survives += 1) {
      const store = new CrashingStore(survives);
      const before = await ManualNamespace.open(store);
      for (let count = 0; count < DIRECTORIES; count += 1) {
        await before.makeDirectory(`/${count}`);
        await before.machine.flush().catch(() => {});
        if (store.isDown) break;
      }
      store.isDown = false;
      const after = await ManualNamespace.open(store, before.log);
      const wanted = await ManualNamespace.open(new MemoryRowStore(), before.log);
      deepEqual(await after.machine.namespaceHash(), await wanted.machine.namespaceHash());
    }
  },
};

/** Its process ends after so many writes. */
class CrashingStore extends MemoryRowStore {
  isDown = false;
  #left: number;

  constructor(survives: number) {
    super();
    this.#left = survives;
  }

  override async write(changes: readonly RowChange[]): Promise<void> {
    if (this.isDown || this.#left === 0) {
      this.isDown = true;
      this.#left = Infinity;
      throw new Error('the process has ended');
    }
    this.#left -= 1;
    await super.write(changes);
  }
}
