/** @module S34: a client asks again after its answer has left the log for a snapshot (thesis §6.3). */
import { deepEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { ManualNamespace } from '../manual-namespace.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export const scenario: BugScenario = {
  claim: 'a node that began with a snapshot gives the answers of commands that were done before it',
  async run() {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'snapshot');
    const sender = await ManualNamespace.open(new MemoryRowStore());
    await sender.openSession('session');
    const place = { session: 'session', sequence: 1 };
    const answer = await sender.makeDirectory('/once', place);
    const { rows } = await sender.machine.pin();
    await rows.copyTo(path);
    const receiver = await ManualNamespace.open(new MemoryRowStore(), sender.log.slice(0, 1));
    await receiver.machine.restoreFrom(path);
    receiver.log.splice(0, 1, ...sender.log);
    deepEqual(await receiver.makeDirectory('/once', place), answer);
  },
};
