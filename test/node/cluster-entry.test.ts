/** @module Founding, joining and running, with real nodes in this process. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { type Founded, initCluster, type NewNode } from '../../src/node/init-cluster.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';
import { decodeToken, encodeToken } from '../../src/protocol/token.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const CLUSTER = { name: 'test', replication: 2, blockSizeBytes: 65_536 };
const MULTIADDR = '/ip4/127.0.0.1/tcp/0';

describe('founding and joining', () => {
  let root: string;
  let founded: Founded;
  let founder: RunningNode;

  const newNode = (name: string): NewNode => ({
    directory: join(root, name),
    profileDir: join(root, 'client'),
    name,
    host: name,
    roles: ['meta', 'data'],
    listen: [MULTIADDR],
    announce: [],
  });
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-entry-'));
    founded = await initCluster(COMPONENTS, CLUSTER, newNode('one'));
    founder = await start(join(root, 'one'));
  });
  afterAll(async () => {
    await founder.stop();
    await rm(root, { recursive: true, force: true });
  });

  it('leaves a token with the cluster and the addresses of the founder', () => {
    const token = decodeToken(founded.token);
    expect(token.clusterId).toBe(founded.config.clusterId);
    expect(token.addresses).toEqual(founder.addresses);
  });

  it('refuses to found in a directory with anything in it, and adds nothing to it', async () => {
    const directory = join(root, 'documents');
    await mkdir(directory);
    await writeFile(join(directory, 'letter.txt'), '');
    await expect(initCluster(COMPONENTS, CLUSTER, { ...newNode('x'), directory })).rejects.toMatchObject({
      code: 'NODE_DIRECTORY_NOT_EMPTY',
    });
    expect(await readdir(directory)).toEqual(['letter.txt']);
  });

  it.each([
    ['NODE_INVALID_ADDRESS', { announce: ['nowhere'] }],
    ['CLIENT_PROFILE_NOT_WRITABLE', { profileDir: '/proc/no-such-directory' }],
  ])('leaves nothing in the way of the next attempt when founding is refused: %s', async (code, mistake) => {
    const node = { ...newNode(code), profileDir: join(root, `client-${code}`) };
    await expect(initCluster(COMPONENTS, CLUSTER, { ...node, ...mistake })).rejects.toMatchObject({ code });
    expect((await initCluster(COMPONENTS, CLUSTER, node)).profile).toBe('written');
  });

  it('refuses a second start on the same data', async () => {
    await expect(start(join(root, 'one'))).rejects.toMatchObject({ code: 'NODE_ALREADY_RUNNING' });
  });

  it('joins a node that had been interrupted before, starts it, and reaches the cluster through it', async () => {
    const node: NewNode = { ...newNode('two'), roles: ['data'], profileDir: join(root, 'client-two') };
    // What a join that was killed has left: its key, and at the cluster perhaps its membership.
    const first = await joinCluster(COMPONENTS, founded.token, node);
    await rm(join(node.directory, 'node.json'));
    const second = await joinCluster(COMPONENTS, founded.token, node);
    expect(second.config.number).toBe(first.config.number);

    const running = await start(node.directory);
    try {
      await using client = await connect({ profileDir: node.profileDir });
      const { members } = await client.members();
      expect(members.find(({ number }) => number === second.config.number)).toMatchObject({
        peer: running.config.peer,
        state: 'active',
      });
    } finally {
      await running.stop();
    }
    await expect(joinCluster(COMPONENTS, founded.token, node)).rejects.toMatchObject({
      code: 'NODE_ALREADY_JOINED',
    });
  });

  it('refuses a wrong secret, another cluster, and says who could not be reached', async () => {
    const contents = decodeToken(founded.token);
    const wrongSecret = encodeToken({ ...contents, secret: new Uint8Array(24) });
    await expect(joinCluster(COMPONENTS, wrongSecret, newNode('bad1'))).rejects.toMatchObject({
      code: 'NAMESPACE_TOKEN_INVALID',
    });
    const otherCluster = encodeToken({ ...contents, clusterId: 'ff'.repeat(16) });
    await expect(joinCluster(COMPONENTS, otherCluster, newNode('bad2'))).rejects.toMatchObject({
      code: 'NAMESPACE_WRONG_CLUSTER',
    });
    const addresses = [`/ip4/127.0.0.1/tcp/1/p2p/${founder.config.peer}`];
    const nobody = encodeToken({ ...contents, addresses });
    const patience = { busyMs: 60_000, nobodyMs: 0 };
    await expect(joinCluster(COMPONENTS, nobody, newNode('bad3'), { patience })).rejects.toMatchObject({
      code: 'NODE_JOIN_UNREACHABLE',
      facts: { addresses },
    });
  });

  it('runs only roles that the node joined with, and never a node that lost its key', async () => {
    const directory = join(root, 'lone');
    const profileDir = join(root, 'client-lone');
    await initCluster(COMPONENTS, CLUSTER, { ...newNode('lone'), profileDir, roles: ['meta'] });
    await expect(start(directory, ['data'])).rejects.toMatchObject({ code: 'NODE_ROLE_NOT_GRANTED' });
    await rm(join(directory, 'key'));
    await expect(start(directory)).rejects.toMatchObject({ code: 'NODE_CONFIG_DAMAGED' });
  });
});

function start(directory: string, roles?: readonly string[]): Promise<RunningNode> {
  return startNode(COMPONENTS, directory, {
    onFatal: (error) => {
      throw error;
    },
    ...(roles === undefined ? {} : { changes: { roles } }),
  });
}
