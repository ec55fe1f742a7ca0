/** @module A cluster that lost the majority of its metadata nodes for good, and goes on from one that is left. */
import { afterEach, describe, expect, it } from 'vitest';
import { clusterEpochOf } from '../../dht/membership-ring.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { call, serve } from '../../src/network/method.ts';
import type { Network, PeerId } from '../../src/network/network.ts';
import { askForManifest, createManifestBook } from '../../src/protocol/manifest-exchange.ts';
import { HeartbeatRequest, NodeLoad } from '../../src/protocol/messages.ts';
import { HEARTBEAT, LIST, MANIFEST, REMOVE_MEMBER, STATUS } from '../../src/protocol/methods.ts';
import { CLUSTER_ID, TestCluster } from './cluster.ts';

let cluster: TestCluster;
let client: Network;
afterEach(async () => {
  await cluster.stop();
  expect(cluster.fatal).toEqual([]);
});

function mkdir(via: string, path: string): ReturnType<TestCluster['mutate']> {
  return cluster.mutate(client, via, { $case: 'makeDirectory', value: { path, parents: false } });
}

async function names(via: string): Promise<string[]> {
  const { entries } = await call(client, via, LIST, { path: '/', after: '', limit: 100, stale: false });
  return entries.map(({ name }) => name);
}

async function start(size: number, voters = 3): Promise<void> {
  cluster = await TestCluster.start(size, { voters });
  client = await cluster.client();
}

/** Kills all but `survivor`, then that one too, recovers it and starts it. */
async function recover(survivor: number): ReturnType<TestCluster['restart']> {
  for (const number of cluster.nodes.keys()) await cluster.kill(number);
  await cluster.recover(survivor);
  return cluster.restart(survivor);
}

/** Of a datanode that says it knows the members as of `epoch`. */
function heartbeat(node: number, epoch: number): HeartbeatRequest {
  const load = NodeLoad.fromPartial({ capacityBytes: 1e9, freeBytes: 1e9 });
  return HeartbeatRequest.fromPartial({ node, generation: 1, load, epoch });
}

function codes(): unknown[] {
  return cluster.fatal.splice(0).map((error) => (error as { code?: string }).code);
}

describe('a recovered cluster', () => {
  it('has everything the survivor had, takes changes, and grows to three voters again', async () => {
    await start(3);
    for (let count = 0; count < 5; count += 1) await mkdir((await cluster.leader()).peer, `/d${count}`);
    const survivor = await recover((await cluster.follower()).number);
    await cluster.leader();
    expect(await names(survivor.peer)).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    await mkdir(survivor.peer, '/after');
    const status = await call(client, survivor.peer, STATUS, { stale: false });
    expect(status.cluster).toMatchObject({ epoch: 2 });
    expect(status.metadataNodes.map(({ member, raftRole }) => [member?.number, raftRole])).toEqual([
      [survivor.number, 'leader'],
    ]);
    const [second] = [await cluster.addNode(), await cluster.addNode()];
    await cluster.until('three vote', () => cluster.voters().length === 3);
    await mkdir(second.peer, '/of-three');
    expect(second.number).toBeGreaterThan(50);
  });

  it('keeps what the survivor had not known to be committed', async () => {
    await start(3);
    const leader = await cluster.leader();
    await mkdir(leader.peer, '/surely');
    const others = [...cluster.nodes.values()].filter(({ number }) => number !== leader.number);
    for (const { number } of others) await cluster.kill(number);
    const last = leader.log.lastIndex();
    const waiting = mkdir(leader.peer, '/maybe').catch((error: unknown) => error);
    await cluster.until('it is in the log', () => leader.log.lastIndex() > last);
    await cluster.kill(leader.number);
    await waiting;
    const found = await cluster.recover(leader.number);
    expect(found.lastIndex).toBeGreaterThan(found.commit);
    const survivor = await cluster.restart(leader.number);
    await cluster.leader();
    expect(await names(survivor.peer)).toEqual(['maybe', 'surely']);
  });

  it('may begin with a learner, and amid a change of membership', async () => {
    await start(5, 3);
    const learner = await cluster.until('one waits', () =>
      [...cluster.nodes.keys()].find(
        (number) => cluster.voters().length === 3 && !cluster.voters().includes(number),
      ),
    );
    await mkdir((await cluster.leader()).peer, '/before');
    const { peer, number: leader } = await cluster.leader();
    await cluster.until(
      'the learner has it',
      () => cluster.node(learner).machine.appliedIndex >= cluster.node(leader).machine.appliedIndex,
    );
    const gone = cluster.voters().find((number) => number !== leader) ?? 0;
    await call(client, peer, REMOVE_MEMBER, { number: gone, force: true, dryRun: false });
    const survivor = await recover(learner);
    codes();
    await cluster.leader();
    await mkdir(survivor.peer, '/after');
    expect(await names(survivor.peer)).toContain('before');
    expect(cluster.voters()).toEqual([learner]);
  });

  it('does not let the old members back in, not even both together', async () => {
    await start(3);
    await mkdir((await cluster.leader()).peer, '/before');
    const { number } = await cluster.follower();
    const old = [...cluster.nodes.keys()].filter((other) => other !== number);
    const survivor = await recover(number);
    await cluster.leader();
    const { term } = survivor.node.status();
    const back = await Promise.all(old.map((other) => cluster.restart(other)));
    await cluster.until('both have stopped', () => cluster.fatal.length === 2);
    expect(codes()).toEqual(['METADATA_SUPERSEDED', 'METADATA_SUPERSEDED']);
    for (const { node } of back) expect(node.isLeader).toBe(false);
    expect(survivor.node.status().term).toBe(term);
    await mkdir(survivor.peer, '/undisturbed');
  });

  it('ends the old members for what a datanode shows them of it, and not for what it says', async () => {
    await start(3);
    const { number, peer: survivorPeer } = await cluster.follower();
    const old = [...cluster.nodes.keys()].filter((other) => other !== number);
    const oldPeers = old.map((other) => cluster.node(other).peer);
    const datanode = await cluster.newPeer();
    datanode.authorize(() => true);
    const node = (await cluster.join(datanode, ['data'])).member?.number ?? 0;
    const book = createManifestBook(
      { network: datanode, logger: silentLogger },
      { cluster: CLUSTER_ID, known: () => ({ epoch: 1, peers: [survivorPeer] }) },
    );
    const shown: PeerId[] = [];
    serve(datanode, MANIFEST, async (_request, { peer }) => {
      shown.push(peer);
      return book.chain();
    });
    const say = (epoch: number): Promise<unknown> =>
      Promise.all(oldPeers.map((peer) => call(datanode, peer, HEARTBEAT, heartbeat(node, epoch))));
    // It has nothing to show. Whoever asks for the second time has judged the first answer.
    await expect
      .poll(async () => {
        await say(99);
        return oldPeers.map((peer) => shown.filter((asker) => asker === peer).length > 1);
      })
      .toEqual([true, true]);
    await mkdir((await cluster.leader()).peer, '/undisturbed');

    const survivor = await recover(number);
    await cluster.leader();
    await expect
      .poll(async () => {
        await askForManifest({ network: datanode, logger: silentLogger }, book, survivor.peer);
        return clusterEpochOf(book.current?.epoch ?? 0);
      })
      .toBe(2);
    for (const peer of oldPeers) cluster.switch.cut(survivor.peer, peer);
    for (const other of old) await cluster.restart(other);
    await cluster.until('the old ones have a leader of their own', () =>
      old.some((other) => cluster.node(other).node.isLeader),
    );
    await say(2);
    await cluster.until('both have stopped', () => cluster.fatal.length === 2);
    expect(codes()).toEqual(['METADATA_SUPERSEDED', 'METADATA_SUPERSEDED']);
  });

  it('can be lost and recovered once more', async () => {
    await start(3);
    const { number } = await cluster.follower();
    await recover(number);
    await cluster.leader();
    const second = await cluster.addNode();
    await cluster.until('both vote', () => cluster.voters().length === 2);
    await mkdir(second.peer, '/second');
    const survivor = await recover(second.number);
    await cluster.leader();
    expect(await names(survivor.peer)).toEqual(['second']);
    expect(survivor.machine.cluster()?.epoch).toBe(3);
    await cluster.restart(number);
    await cluster.until('the first survivor has stopped', () => cluster.fatal.length === 1);
    expect(codes()).toEqual(['METADATA_SUPERSEDED']);
  });
});
