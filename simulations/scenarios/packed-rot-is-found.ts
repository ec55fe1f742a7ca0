/** @module H04: a small block that has rotted in the file it is packed into is served. */
import { equal, rejects } from 'node:assert/strict';
import { join } from 'node:path';
import { toHex, utf8 } from '../../src/common/bytes.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openBlockStore } from '../../src/storage/file-block-store.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const DATA = utf8('a small block');

export const scenario: BugScenario = {
  claim: 'no byte of a packed block is served, or called good, that is not what was written',
  async run() {
    await using directory = await temporaryDirectory();
    const store = await openBlockStore(directory.path, { logger: silentLogger, reserveBytes: 0 });
    const hash = toHex(sha256(DATA));
    const origin = { fileId: 1, pathHint: '/small', position: 0 };
    await store.storeAll([{ hash, sizeBytes: DATA.length, origin, data: DATA }]);
    const rows = await SqliteConnection.open(join(directory.path, 'packed.db'), { format: 1, schema: [] });
    await rows.run('UPDATE packed SET data = zeroblob(length(data))');
    await rows.close();
    await rejects(store.read(hash).next(), { code: 'STORAGE_CORRUPT_BLOCK' });
    equal(await store.verify(hash), false);
    await store.close();
  },
};
