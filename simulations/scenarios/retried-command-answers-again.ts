/** @module S34: a client that heard no answer asks again, of another leader (openraft#2095, etcd#3587). */
import { deepEqual, equal } from 'node:assert/strict';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { ManualNamespace } from '../manual-namespace.ts';

export const scenario: BugScenario = {
  claim: 'a command that comes twice in one session is done once, and answered twice in the same words',
  async run() {
    const namespace = await ManualNamespace.open(new MemoryRowStore());
    await namespace.openSession('session');
    const place = { session: 'session', sequence: 1 };
    const first = await namespace.makeDirectory('/once', place);
    const second = await namespace.makeDirectory('/once', place);
    equal(first?.$case, 'stat');
    deepEqual(second, first);
    deepEqual(await namespace.names(), ['once']);
  },
};
