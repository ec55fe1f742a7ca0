/** @module All metadata nodes are replaced, one after the other, while a datanode and a client are away. Real nodes in this process. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Client } from '../../src/client/client.ts';
import { connect } from '../../src/client/connect.ts';
import { enrol } from '../../src/client/enrol.ts';
import { loadProfile, type Profile, saveProfile } from '../../src/client/profile.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster, type NewNode } from '../../src/node/init-cluster.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const METADATA = ['one', 'two', 'three'];
const AWAY = 'away';
const LIMIT = { timeout: 60_000, interval: 100 };

describe('when every metadata node has been replaced, one at a time', () => {
  let root: string;
  /** Of a client that was away, as it was before. */
  let before: Profile;
  const running = new Map<string, RunningNode>();
  /** Nodes that have stopped since they were removed, with the code of why. */
  const removed = new Map<string, string>();

  const newNode = (name: string): NewNode => ({
    directory: join(root, name),
    profileDir: join(root, name === AWAY ? 'client-beside' : 'client'),
    name,
    host: name,
    roles: [METADATA.includes(name) ? 'meta' : 'data'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
  });
  const start = async (name: string): Promise<void> => {
    const onFatal = (error: Error): void => {
      removed.set(name, (error as { code?: string }).code ?? error.message);
    };
    running.set(name, await startNode(COMPONENTS, join(root, name), { onFatal }));
  };
  const clientOf = (profileDir: string): Promise<Client> => connect({ ...COMPONENTS, profileDir });
  async function read(client: Client): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await client.get('/kept')).bytes) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }
  const numberOf = (name: string): number => running.get(name)?.config.number ?? 0;

  /** `successor` joins, and `name` is taken out as soon as that is allowed. */
  async function replace(name: string, successor: string): Promise<void> {
    await using host = await clientOf(join(root, 'client'));
    const { token } = await host.createToken({ roles: ['meta'], lifetimeMs: 600_000 });
    await joinCluster(COMPONENTS, token, newNode(successor));
    await start(successor);
    // It asks who the metadata nodes are as it begins.
    await using remover = await clientOf(join(root, 'client'));
    await vi.waitFor(() => remover.removeMember(numberOf(name)), LIMIT);
    await vi.waitFor(() => expect(removed.get(name)).toBe('METADATA_REMOVED'), LIMIT);
    await running.get(name)?.stop();
    running.delete(name);
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-replaced-'));
    const cluster = { name: 'test', replication: 1, blockSizeBytes: 65_536 };
    const { token } = await initCluster(COMPONENTS, cluster, newNode('one'));
    await start('one');
    await joinCluster(COMPONENTS, token, newNode(AWAY));
    await start(AWAY);
    await using client = await clientOf(join(root, 'client'));
    await vi.waitFor(async () => {
      const { dataNodes } = await client.status();
      expect(dataNodes.map(({ liveness }) => liveness)).toEqual(['alive']);
    }, LIMIT);
    await client.put('/kept', Buffer.from('still here'));
    await client.close();
    await running.get(AWAY)?.stop();
    before = await loadProfile(join(root, 'client'));
    await cp(join(root, 'client'), join(root, 'client-away'), { recursive: true });
    await replace('one', 'two');
    await replace('two', 'three');
  }, 240_000);
  afterAll(async () => {
    await Promise.all([...running.values()].map((node) => node.stop()));
    await rm(root, { recursive: true, force: true });
  });

  it('a datanode that knows only the first is called on by the last, believes it, and says what it holds', async () => {
    await start(AWAY);
    await using client = await clientOf(join(root, 'client'));
    await vi.waitFor(async () => expect(await read(client)).toBe('still here'), LIMIT);
  }, 90_000);

  it('a client that knows only the first, and that datanode, finds the last', async () => {
    await using client = await clientOf(join(root, 'client-away'));
    await vi.waitFor(async () => expect(await read(client)).toBe('still here'), LIMIT);
  }, 90_000);

  it('a client beside that datanode, which has never asked for anything, finds the last by it', async () => {
    await using client = await clientOf(join(root, 'client-beside'));
    await vi.waitFor(async () => expect(await read(client)).toBe('still here'), LIMIT);
  }, 90_000);

  it('a client that knows only the first, and nobody else, says what to do, and finds the last with a new token', async () => {
    const profileDir = join(root, 'client-alone');
    await cp(join(root, 'client-away'), profileDir, { recursive: true });
    await saveProfile(profileDir, { ...before, datanodes: [] });
    await using lost = await clientOf(profileDir);
    await expect(lost.stat('/kept')).rejects.toMatchObject({
      code: 'CLIENT_NO_METADATA',
      message: expect.stringContaining('holdfast connect TOKEN'),
    });
    await using host = await clientOf(join(root, 'client'));
    const { token } = await host.createToken({ roles: ['client'], lifetimeMs: 600_000 });
    await enrol(token, profileDir);
    await using back = await clientOf(profileDir);
    expect(await read(back)).toBe('still here');
  }, 90_000);
});
