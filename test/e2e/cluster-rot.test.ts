/** @module Disks that rot: bytes change behind a datanode's back. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { countQuarantined, spoilBlocks } from '../../cli/demo/spoil-blocks.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 12 * MIB;
const DATANODES = ['d1', 'd2', 'd3'];

describe('a cluster with rotten disks', () => {
  let cluster: LocalCluster;
  let client: Client;
  let wanted: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 3 });
    client = await cluster.connect();
    await client.put('/film', knownBytes('film', FILE_BYTES), { blockSizeBytes: MIB, ack: 'all' });
    wanted = await sha256Of(knownBytes('film', FILE_BYTES));
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
  });

  async function read(): Promise<string> {
    return sha256Of((await client.get('/film')).bytes);
  }

  it('returns a file identical, takes each bad copy it met out of service, and says how many copies are left', async () => {
    // Keepers make new copies within a second: there would be nothing left to see.
    expect((await cluster.run(['worker', 'pause', 'repair'])).status).toBe(0);
    const spoiled = [];
    for (const name of ['d1', 'd2']) spoiled.push(await spoilBlocks(cluster.nodeDirectory(name)));
    expect(spoiled).toEqual([12, 12]);
    // Two of three copies are bad: a block whose first choice is good shows none of them.
    expect(await read()).toBe(wanted);
    // Who reads a bad copy reports it, and does not wait for what comes of that.
    await eventually('bad copies are put aside, and just these no longer named', 20_000, async () => {
      const found =
        (await countQuarantined(cluster.nodeDirectory('d1'))) +
        (await countQuarantined(cluster.nodeDirectory('d2')));
      const { blocks } = await client.locate('/film');
      const named = blocks.reduce((sum, { nodes }) => sum + nodes.length, 0);
      return found > 0 && named === 36 - found ? true : undefined;
    });
    await eventually('the status shows them', 60_000, async () => {
      const { blocksUnderReplicated, blocksMissing } = await client.status();
      return blocksUnderReplicated > 0 && blocksMissing === 0 ? true : undefined;
    });
  });

  it('says which block cannot be had when every copy of it is bad, and returns no wrong byte', async () => {
    for (const name of DATANODES.slice(2)) await spoilBlocks(cluster.nodeDirectory(name));
    const result = await cluster.run(['get', '--json', '/film', join(cluster.directory, 'film')]);
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('CLIENT_BLOCK_UNAVAILABLE');
    const left = await readdir(cluster.directory);
    expect(left.filter((name) => name.startsWith('film') || name.includes('.tmp'))).toEqual([]);
  });
});
