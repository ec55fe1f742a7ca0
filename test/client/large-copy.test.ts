/** @module A copy of a file that has too many blocks for one step, through a whole cluster. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { KIB } from '../../src/common/bytes.ts';
import { MAX_BLOCKS_PER_COMMAND } from '../../src/namespace/limits.ts';
import type { BlockRef, Command } from '../../src/namespace/schema.ts';
import { grantResult } from '../../src/client/result.ts';
import { contents, gather } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const FULL = 64 * KIB;
const PARTS = 3;
const BLOCKS = (PARTS - 1) * MAX_BLOCKS_PER_COMMAND + 10;

describe('a copy in parts', () => {
  let cluster: FileCluster;
  let client: Client;
  beforeAll(async () => {
    cluster = await FileCluster.start(3, 3);
    client = await cluster.client();
    await writeBig('/big');
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => cluster.stop());

  /** Of blocks that the datanodes have, again and again: their bytes are not what this is about. */
  async function writeBig(path: string): Promise<void> {
    const some = contents(2 * FULL + 10);
    await client.put('/some', some, { blockSizeBytes: FULL });
    const [first, second, last] = (await client.locate('/some')).blocks as readonly BlockRef[];
    const blocks = Array.from({ length: BLOCKS }, (_, at) => (at % 2 === 0 ? first : second) as BlockRef);
    blocks.push(last as BlockRef);
    const network = await cluster.metadata.client();
    const via = (await cluster.metadata.leader()).peer;
    const run = (kind: NonNullable<Command['kind']>) => cluster.metadata.mutate(network, via, kind);
    const file = { path, parents: false, replication: 2, blockSizeBytes: FULL, mtimeMs: 0, leaseMs: 0 };
    const attributes = { owner: 'ada', group: 'users', mode: 0o600 };
    const unsaid = { precondition: undefined, complete: false, blocks: [] };
    const { inode, fencingToken } = grantResult(
      'createFile',
      await run({ $case: 'createFile', value: { ...file, ...unsaid, attributes } }),
    );
    for (let firstBlock = 0; firstBlock < blocks.length; firstBlock += MAX_BLOCKS_PER_COMMAND) {
      const part = blocks.slice(firstBlock, firstBlock + MAX_BLOCKS_PER_COMMAND);
      const value = { inode, fencingToken, firstBlock, blocks: part };
      await run({ $case: 'appendBlocks', value });
    }
    await run({ $case: 'closeFile', value: { inode, fencingToken, precondition: undefined, mtimeMs: 0 } });
  }

  it('has what its source has, and replaces what was there', async () => {
    await client.put('/copy', contents(10));
    await client.copy('/big', '/copy');
    const [source, copy] = [await client.stat('/big'), await client.stat('/copy')];
    const { sizeBytes, blockCount, blockSizeBytes, replication } = source;
    expect(copy).toMatchObject({ sizeBytes, blockCount, blockSizeBytes, replication });
    expect(copy.inode).not.toBe(source.inode);
    const range = { offset: (BLOCKS - 2) * FULL - 5, length: 2 * FULL };
    const [wanted, got] = await Promise.all(
      ['/big', '/copy'].map(async (path) => gather((await client.get(path, range)).bytes)),
    );
    expect(Buffer.compare(wanted as Uint8Array, got as Uint8Array)).toBe(0);
    const blocks = async (path: string) => (await client.locate(path)).blocks.map(({ hash }) => hash);
    expect(await blocks('/copy')).toEqual(await blocks('/big'));
  });

  it('is refused where something stands that must not be replaced, and keeps the mode of its source', async () => {
    await client.copy('/big', '/once', { noClobber: true });
    expect((await client.stat('/once')).mode).toBe(0o600);
    await expect(client.copy('/big', '/once', { noClobber: true })).rejects.toMatchObject({
      code: 'NAMESPACE_EXISTS',
    });
    await expect(client.copy('/big', '/big')).rejects.toMatchObject({ code: 'NAMESPACE_INVALID_ARGUMENT' });
  });

  it('leaves nothing when it is given up', async () => {
    const giving = new AbortController();
    const { machine } = await cluster.metadata.leader();
    const apply = machine.apply.bind(machine);
    let entriesSinceOpen = 0;
    vi.spyOn(machine, 'apply').mockImplementation(async (entries) => {
      const results = await apply(entries);
      if (machine.counters().leases > 0) entriesSinceOpen += entries.length;
      if (entriesSinceOpen === 2) giving.abort(new Error('no longer wanted'));
      return results;
    });
    const copying = client.copy('/big', '/given-up', { signal: giving.signal });
    await expect(copying).rejects.toThrow('no longer wanted');
    expect(entriesSinceOpen).toBeGreaterThan(1);
    await cluster.metadata.until('what it had is freed', () => {
      const { leases, orphans } = machine.counters();
      return leases === 0 && orphans === 0;
    });
    await expect(client.stat('/given-up')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });
});
