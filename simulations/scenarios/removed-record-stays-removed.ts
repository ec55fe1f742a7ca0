/** @module H08: of a shard on disk, what was removed since it was written is not there, though its page still has it. */
import { deepEqual, ok } from 'node:assert/strict';
import { packHashes } from '../../dht/packed-hashes.ts';
import { encodeRun, RecordRun } from '../../dht/record-run.ts';
import { hashKeyOf } from '../../dht/shard-records.ts';
import { SpilledRecords } from '../../dht/spilled-records.ts';
import type { BugScenario } from '../bug-scenario.ts';

const HOLDER = 5;
const REMOVED = 'ab'.repeat(32);
const KEPT = 'ac'.repeat(32);

export const scenario: BugScenario = {
  claim:
    'the last holder of a block on disk is gone once it is removed, and stays so while the page is read again',
  run() {
    const hashes = [REMOVED, KEPT].map((hash) => packHashes([hash]));
    const encoded = encodeRun((visit) => {
      for (const hash of hashes) visit(hash, Uint16Array.of(HOLDER));
    });
    ok(encoded !== undefined);
    const records = new SpilledRecords(
      new RecordRun(encoded.shape, { pages: 1 }),
      hashKeyOf(new Uint8Array(32)),
    );
    records.withPages(encoded.pages, 0, () => {
      const [removed, kept] = hashes.map((hash) => new DataView(hash.buffer, hash.byteOffset));
      ok(removed !== undefined && kept !== undefined);
      records.remove(removed, 0, HOLDER);
      deepEqual([...records.holdersOf(removed, 0)], []);
      deepEqual([...records.holdersOf(kept, 0)], [HOLDER]);
      deepEqual(records.size, 1);
    });
  },
};
