/** @module All metadata nodes move to other ports, one after the other; whoever was away meanwhile knows none of the new ones. Real nodes in this process. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Client } from '../../src/client/client.ts';
import { connect } from '../../src/client/connect.ts';
import { loadProfile, type Profile, saveProfile } from '../../src/client/profile.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { readConfig } from '../../src/node/data-directory.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster, type NewNode } from '../../src/node/init-cluster.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const ANYWHERE = '/ip4/127.0.0.1/tcp/0';
const METADATA = ['one', 'two', 'three'];
const LIMIT = { timeout: 25_000, interval: 100 };

describe('when all metadata nodes have moved to other ports, one after the other', () => {
  let root: string;
  /** Of the client that was away, as it was before. */
  let before: Profile;
  const running = new Map<string, RunningNode>();

  const newNode = (name: string): NewNode => ({
    directory: join(root, name),
    profileDir: join(root, 'client'),
    name,
    host: name,
    roles: [METADATA.includes(name) ? 'meta' : 'data'],
    listen: [ANYWHERE],
    announce: [],
  });
  const start = async (name: string, listen?: string): Promise<void> => {
    const changes = listen === undefined ? {} : { listen: [listen] };
    const options = { changes, onFatal: (error: Error) => expect.unreachable(error.message) };
    running.set(name, await startNode(COMPONENTS, join(root, name), options));
  };
  const stop = (name: string): Promise<void> | undefined => running.get(name)?.stop();
  const clientOf = (profileDir: string): Promise<Client> => connect({ ...COMPONENTS, profileDir });
  const alive = async (client: Client): Promise<readonly string[]> =>
    (await client.status()).dataNodes
      .filter(({ liveness }) => liveness === 'alive')
      .map(({ member }) => member?.name ?? '')
      .toSorted();

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-ports-'));
    const cluster = { name: 'test', replication: 1, blockSizeBytes: 65_536 };
    const { token } = await initCluster(COMPONENTS, cluster, newNode('one'));
    await start('one');
    for (const name of ['two', 'three', 'stays', 'away']) {
      await joinCluster(COMPONENTS, token, newNode(name));
      await start(name);
    }
    await using client = await clientOf(join(root, 'client'));
    await vi.waitFor(async () => {
      expect(await alive(client)).toEqual(['away', 'stays']);
      const roles = (await client.status()).metadataNodes.map(({ raftRole }) => raftRole);
      expect(roles.toSorted()).toEqual(['leader', 'voter', 'voter']);
    }, LIMIT);
    await stop('away');
    await client.close();
    before = await loadProfile(join(root, 'client'));
    await cp(join(root, 'client'), join(root, 'client-away'), { recursive: true });
    await using watcher = await clientOf(join(root, 'client'));
    for (const name of METADATA) {
      await stop(name);
      await start(name, ANYWHERE);
      await vi.waitFor(async () => {
        const { members } = await watcher.members();
        const member = members.find(({ number }) => number === running.get(name)?.config.number);
        expect(member?.addresses).toEqual(running.get(name)?.addresses);
      }, LIMIT);
    }
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...running.keys()].map(stop));
    await rm(root, { recursive: true, force: true });
  });

  it('a client finds them by a datanode that it had heard of, and remembers where they are', async () => {
    const profileDir = join(root, 'client-away');
    await using client = await clientOf(profileDir);
    // Who answered the search may have heard of the last move a moment later than the others.
    await vi.waitFor(async () => {
      await client.stat('/');
      const { peers, epoch = 0 } = await loadProfile(profileDir);
      expect(peers.map(({ peer }) => peer).toSorted()).toEqual(
        before.peers.map(({ peer }) => peer).toSorted(),
      );
      for (const { addresses } of peers)
        expect(before.peers.flatMap((known) => known.addresses)).not.toContain(addresses[0]);
      expect(epoch).toBeGreaterThan(before.epoch ?? 0);
    }, LIMIT);
  });

  it('a datanode finds them by another, and notes them down in node.json at the next start', async () => {
    const old = await readConfig(join(root, 'away'));
    await start('away', placeOf(before.peers[0]?.addresses[0]));
    await using client = await clientOf(join(root, 'client'));
    await vi.waitFor(async () => expect(await alive(client)).toEqual(['away', 'stays']), LIMIT);
    await vi.waitFor(async () => {
      const book = await readFile(join(root, 'away', 'peers.json'), 'utf8');
      for (const name of METADATA) expect(book).toContain(running.get(name)?.addresses[0]);
    }, LIMIT);
    await stop('away');
    await start('away');
    const { bootstrap } = await readConfig(join(root, 'away'));
    expect(bootstrap).not.toEqual(old.bootstrap);
    expect(bootstrap.flatMap(({ addresses }) => addresses)).toContain(running.get('one')?.addresses[0]);
  });

  it('a client that knows one address where somebody else is by now finds them by that one', async () => {
    const profileDir = join(root, 'client-one-address');
    await cp(join(root, 'client-away'), profileDir, { recursive: true });
    await saveProfile(profileDir, { ...before, peers: before.peers.slice(0, 1), epoch: 0, datanodes: [] });
    await using client = await clientOf(profileDir);
    await client.stat('/');
  });
});

/** Without the peer that was there. */
function placeOf(address = ''): string {
  return address.split('/p2p/')[0] ?? address;
}
