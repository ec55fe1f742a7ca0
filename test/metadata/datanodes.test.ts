import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/common/hashing.ts';
import { call, serve } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import type { NodeLoad } from '../../src/protocol/messages.ts';
import {
  ANNOUNCE,
  COPIES,
  HEARTBEAT,
  LOCATE,
  PLACE,
  READ_PLAN,
  REGISTER,
  REPORT_BAD_BLOCK,
  STATUS,
} from '../../src/protocol/methods.ts';
import { type RunningNode, TestCluster } from './cluster.ts';

let cluster: TestCluster;
let client: Network;
const datanodes: { readonly network: Network; readonly number: number }[] = [];
const LOAD: NodeLoad = {
  capacityBytes: 10e9,
  usedBytes: 0,
  freeBytes: 10e9,
  blocks: 0,
  writesInFlight: 0,
  readsInFlight: 0,
  readOnly: false,
  reach: [],
};

let sequence = 0;

beforeAll(async () => {
  cluster = await TestCluster.start(3);
  client = await cluster.client();
  for (const host of ['a', 'b']) {
    const network = await cluster.newPeer();
    const { member } = await cluster.join(network, ['data'], host);
    datanodes.push({ network, number: member?.number ?? 0 });
    for (const { peer } of cluster.nodes.values())
      await call(network, peer, REGISTER, { ...registration(datanodes.length - 1), host });
  }
});
afterAll(() => cluster.stop());

function registration(position: number): {
  node: number;
  generation: number;
  addresses: string[];
  host: string;
  load: NodeLoad;
} {
  const { network, number } = datanodes[position] ?? { network: client, number: 0 };
  return { node: number, generation: 1, addresses: [...network.addresses()], host: '', load: LOAD };
}

async function announce(to: RunningNode, position: number, hash: Uint8Array): Promise<void> {
  const { network, number } = datanodes[position] ?? { network: client, number: 0 };
  await call(network, to.peer, ANNOUNCE, {
    node: number,
    generation: 1,
    sequence: (sequence += 1),
    added: hash,
    removed: new Uint8Array(0),
    whole: [],
    epoch: 0,
  });
}

describe('datanodes', () => {
  it('are told to register when a metadata node does not know them, and get the members once', async () => {
    const { network, number } = datanodes[0] ?? { network: client, number: 0 };
    const beat = {
      node: number,
      generation: 1,
      load: LOAD,
      membersVersion: 0,
      epoch: 1,
      silentNeighbours: [],
    };
    const first = await call(network, cluster.any().peer, HEARTBEAT, beat);
    expect(first).toMatchObject({ known: true });
    expect(first.members.length).toBeGreaterThan(3);
    const second = await call(network, cluster.any().peer, HEARTBEAT, {
      ...beat,
      membersVersion: first.membersVersion,
    });
    expect(second.members).toEqual([]);
    const restarted = await call(network, cluster.any().peer, HEARTBEAT, { ...beat, generation: 2 });
    expect(restarted.known).toBe(false);
  });

  it('may not speak for one another, and clients may not speak as datanodes', async () => {
    const other = { ...registration(1) };
    const { network } = datanodes[0] ?? { network: client };
    const to = cluster.any().peer;
    await expect(call(network, to, REGISTER, other)).rejects.toMatchObject({ code: 'METADATA_NOT_ALLOWED' });
    await expect(call(client, to, REGISTER, other)).rejects.toMatchObject({ code: 'METADATA_NOT_ALLOWED' });
  });

  it('get no blocks, and are shown as such, once a write to their disk has failed', async () => {
    const { peer } = cluster.any();
    const { network, number } = datanodes[1] ?? { network: client, number: 0 };
    const request = { sizes: [1_000], copies: 3, exclude: [], nearHost: '' };
    const readOnly = async (): Promise<unknown> =>
      (await call(client, peer, STATUS, { stale: true })).dataNodes.find(
        ({ member }) => member?.number === number,
      )?.readOnly;
    expect(await readOnly()).toBe(false);
    const failed = { ...registration(1), host: 'b', load: { ...LOAD, readOnly: true } };
    await call(datanodes[0]?.network ?? client, peer, REGISTER, { ...registration(0), host: 'a' });
    await call(network, peer, REGISTER, failed);
    expect(await readOnly()).toBe(true);
    expect((await call(client, peer, PLACE, request)).placements).toEqual([
      { nodes: [datanodes[0]?.number] },
    ]);
    await call(network, peer, REGISTER, { ...failed, load: LOAD });
    expect((await call(client, peer, PLACE, request)).placements[0]?.nodes).toHaveLength(2);
  });

  it('get new blocks placed on different hosts', async () => {
    const { peer } = await cluster.follower();
    const request = { sizes: [1_000, 1_000], copies: 3, exclude: [], nearHost: 'b' };
    const { placements, holders, usableNodes } = await call(client, peer, PLACE, request);
    const [a, b] = datanodes.map(({ number }) => number);
    expect(placements).toEqual([{ nodes: [b, a] }, { nodes: [b, a] }]);
    expect(usableNodes).toBe(2);
    expect(holders.map(({ host, alive }) => `${host} ${alive}`)).toEqual(['b true', 'a true']);
    const excluded = await call(client, peer, PLACE, { ...request, exclude: [a ?? 0] });
    expect(excluded.placements[0]?.nodes).toEqual([b]);
  });

  it('are found as holders of what they announced, until a reader reports the copy as bad', async () => {
    const hash = sha256(new Uint8Array([1]));
    for (const node of cluster.nodes.values())
      for (const position of [0, 1]) await announce(node, position, hash);
    const [a, b] = datanodes.map(({ number }) => number);
    const { peer } = await cluster.leader();
    const before = await call(client, peer, LOCATE, { hashes: [hash, sha256(new Uint8Array([2]))] });
    expect(before.blocks.map(({ nodes }) => nodes.toSorted())).toEqual([[a, b], []]);
    await call(client, peer, REPORT_BAD_BLOCK, { hash, node: a ?? 0, reason: 'checksum', found: '' });
    const after = await call(client, peer, LOCATE, { hashes: [hash] });
    expect(after.blocks[0]?.nodes).toEqual([b]);
    const follower = await cluster.follower();
    await expect
      .poll(async () => (await call(client, follower.peer, LOCATE, { hashes: [hash] })).blocks[0]?.nodes)
      .toEqual([b]);
  });

  it('are offered again by every metadata node once their datanode has read the reported copy and found it good', async () => {
    const hash = sha256(new Uint8Array([4]));
    for (const node of cluster.nodes.values()) await announce(node, 0, hash);
    const { network, number: holder = 0 } = datanodes[0] as (typeof datanodes)[number];
    const asked = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<void>();
    network.authorize(() => true);
    serve(network, COPIES, async () => {
      asked.resolve();
      await verdict.promise;
      return { copies: [{ state: 'good', sizeBytes: 1, sinceMs: 0, verifiedMs: 1 }] };
    });
    const { peer } = await cluster.leader();
    const follower = await cluster.follower();
    const offered = (at: string) => async () =>
      (await call(client, at, LOCATE, { hashes: [hash] })).blocks[0]?.nodes;
    await call(client, peer, REPORT_BAD_BLOCK, { hash, node: holder, reason: 'checksum', found: '' });
    await asked.promise;
    await expect.poll(offered(follower.peer)).toEqual([]);
    // A client's word on what a datanode found counts for nothing.
    await call(client, follower.peer, REPORT_BAD_BLOCK, { hash, node: holder, reason: '', found: 'good' });
    expect(await offered(follower.peer)()).toEqual([]);
    verdict.resolve();
    await expect.poll(offered(follower.peer)).toEqual([holder]);
    await expect.poll(offered(peer)).toEqual([holder]);
  });

  it('stand in the read plan of a file', async () => {
    const { peer } = await cluster.follower();
    const hash = sha256(new Uint8Array([3]));
    for (const node of cluster.nodes.values()) await announce(node, 0, hash);
    const made = await cluster.mutate(client, peer, {
      $case: 'createFile',
      value: {
        path: '/file',
        parents: false,
        replication: 1,
        blockSizeBytes: 0,
        leaseMs: 0,
        precondition: undefined,
        complete: true,
        blocks: [{ hash, sizeBytes: 1 }],
        mtimeMs: 0,
      },
    });
    expect(made.kind?.$case).toBe('stat');
    const plan = { path: '/file', inode: 0, version: 0, firstBlock: 0, limit: 0, stale: false };
    const { stat, blocks, holders } = await call(client, peer, READ_PLAN, plan);
    expect(stat?.blockCount).toBe(1);
    expect(blocks[0]).toMatchObject({ sizeBytes: 1, nodes: [datanodes[0]?.number] });
    expect(holders[0]).toMatchObject({ node: datanodes[0]?.number, alive: true });
  });

  it('are shown in the status with their load and liveness', async () => {
    const { peer } = await cluster.follower();
    const status = await call(client, peer, STATUS, { stale: false });
    expect(status.dataNodes.map(({ liveness }) => liveness)).toEqual(['alive', 'alive']);
    expect(status.metadataNodes.every(({ reachable }) => reachable)).toBe(true);
    expect(status.leader).toBe((await cluster.leader()).number);
  });

  it('are waited for by a metadata node that has just started, rather than passed over', async () => {
    const { number } = await cluster.follower();
    await cluster.kill(number);
    const { peer } = await cluster.restart(number);
    const request = { sizes: [1_000], copies: 2, exclude: [], nearHost: '' };
    await expect(call(client, peer, PLACE, request)).rejects.toMatchObject({
      code: 'METADATA_NOT_SURVEYED',
      kind: 'unavailable',
    });
    for (const [position, { network }] of datanodes.entries())
      await call(network, peer, REGISTER, registration(position));
    const { placements } = await call(client, peer, PLACE, request);
    expect(placements[0]?.nodes).toHaveLength(2);
  });
});
