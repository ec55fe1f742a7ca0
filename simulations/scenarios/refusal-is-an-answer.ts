/** @module S35: a directory is made again, by one who does not know that it is there already (curvine#676). */
import { deepEqual, equal } from 'node:assert/strict';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { ManualNamespace } from '../manual-namespace.ts';

export const scenario: BugScenario = {
  claim: 'a command that makes no sense any more is refused, changes nothing, and the next one is applied',
  async run() {
    const namespace = await ManualNamespace.open(new MemoryRowStore());
    for (const session of ['first', 'second']) await namespace.openSession(session);
    await namespace.makeDirectory('/a', { session: 'first', sequence: 1 });
    const again = await namespace.makeDirectory('/a', { session: 'second', sequence: 1 });
    equal(again?.$case === 'refused' && again.value.code, 'NAMESPACE_EXISTS');
    await namespace.makeDirectory('/b', { session: 'second', sequence: 2 });
    deepEqual(await namespace.names(), ['a', 'b']);
  },
};
