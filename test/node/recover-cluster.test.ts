/** @module Recovery on real directories: what it refuses, and what being cut short leaves. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster, type NewNode } from '../../src/node/init-cluster.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';
import { Recovery, type RecoveryOptions } from '../../src/node/recover-cluster.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const FIRST_PORT = 20_000;
const PORTS = 10_000;

describe('recovery', () => {
  let root: string;
  const running = new Map<string, RunningNode>();
  /** Where a node is found again after a restart, by those who were down meanwhile. */
  const ports = new Map<string, number>();
  const directory = (name: string): string => join(root, name);
  const newNode = (name: string, roles: NewNode['roles']): NewNode => ({
    directory: directory(name),
    profileDir: join(root, 'client'),
    name,
    host: name,
    roles,
    listen: [`/ip4/127.0.0.1/tcp/${ports.get(name)}`],
    announce: [],
  });
  const start = async (name: string): Promise<void> => {
    const onFatal = (error: Error): never => {
      throw error;
    };
    running.set(name, await startNode(COMPONENTS, directory(name), { onFatal }));
  };
  const stop = async (name: string): Promise<void> => {
    await running.get(name)?.stop();
    running.delete(name);
  };
  const prepare = (name: string, options?: RecoveryOptions): Promise<Recovery> =>
    Recovery.prepare(COMPONENTS, directory(name), options);
  const config = async (name: string): Promise<{ epoch: number }> =>
    JSON.parse(await readFile(join(directory(name), 'node.json'), 'utf8')) as { epoch: number };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-recovery-'));
    for (const name of ['one', 'two', 'three', 'data']) ports.set(name, await freePort());
    const cluster = { name: 'test', replication: 2, blockSizeBytes: 65_536 };
    const { token } = await initCluster(COMPONENTS, cluster, newNode('one', ['meta']));
    await start('one');
    for (const [name, roles] of [['two', ['meta', 'data']] as const, ['three', ['meta']] as const]) {
      await joinCluster(COMPONENTS, token, newNode(name, roles));
      await start(name);
    }
    await joinCluster(COMPONENTS, token, newNode('data', ['data']));
    await using client = await connect({ profileDir: join(root, 'client') });
    const threeVote = async (): Promise<void> => {
      expect((await client.status()).membership?.voters).toHaveLength(3);
    };
    await vi.waitFor(threeVote, { timeout: 10_000 });
    await client.mkdir('/before');
  });
  afterAll(async () => {
    for (const name of running.keys()) await stop(name);
    await rm(root, { recursive: true, force: true });
  });

  it('does not touch a node that runs, nor one without a log', async () => {
    await expect(prepare('three')).rejects.toMatchObject({ code: 'NODE_ALREADY_RUNNING' });
    await expect(prepare('data')).rejects.toMatchObject({ code: 'NODE_NOT_A_METADATA_NODE' });
  });

  it('is refused while a majority is there, running or in directories', async () => {
    await stop('three');
    await expect(prepare('three')).rejects.toMatchObject({
      code: 'NODE_QUORUM_NOT_LOST',
      facts: { present: ['1', expect.any(String), expect.any(String)] },
    });
    await stop('one');
    await stop('two');
    await expect(prepare('three', { also: [directory('two')] })).rejects.toMatchObject({
      code: 'NODE_QUORUM_NOT_LOST',
    });
  });

  it('changes nothing until it is carried out, and shows what is there', async () => {
    {
      await using recovery = await prepare('three');
      const { own, epoch, survivors, metadataNodes } = recovery.plan;
      expect(epoch).toBe(2);
      expect(survivors).toMatchObject([
        { node: own.node, lastIndex: own.lastIndex, directory: directory('three') },
      ]);
      expect(metadataNodes).toHaveLength(3);
      await expect(startNode(COMPONENTS, directory('three'), { onFatal: () => {} })).rejects.toMatchObject({
        code: 'NODE_ALREADY_RUNNING',
      });
    }
    await using again = await prepare('three');
    expect(again.plan).toMatchObject({ epoch: 2, isUnderWay: false });
  });

  it('cut short before the log was written, has not happened', async () => {
    await writeFile(join(directory('three'), 'recovery'), '2\n');
    await expect(startNode(COMPONENTS, directory('three'), { onFatal: () => {} })).rejects.toMatchObject({
      code: 'NODE_RECOVERY_UNFINISHED',
    });
    {
      await using recovery = await prepare('three');
      expect(recovery.plan.isUnderWay).toBe(false);
    }
    await using recovery = await prepare('three');
    expect(recovery.plan.epoch).toBe(2);
  });

  it('cut short after the log was written, is brought to its end by the same command', async () => {
    const before = await readFile(join(directory('three'), 'node.json'), 'utf8');
    {
      await using recovery = await prepare('three');
      await recovery.carryOut(systemClock.wallMs());
    }
    // As if the process had been killed between the log and node.json.
    await writeFile(join(directory('three'), 'node.json'), before);
    await writeFile(join(directory('three'), 'recovery'), '2\n');
    await expect(startNode(COMPONENTS, directory('three'), { onFatal: () => {} })).rejects.toMatchObject({
      code: 'NODE_RECOVERY_UNFINISHED',
    });
    {
      await using recovery = await prepare('three');
      const { lastIndex } = recovery.plan.own;
      expect(recovery.plan).toMatchObject({ isUnderWay: true, epoch: 2 });
      await recovery.carryOut(systemClock.wallMs());
      await recovery[Symbol.asyncDispose]();
      await expect(prepare('three')).rejects.toMatchObject({ code: 'NODE_QUORUM_NOT_LOST' });
      await using after = await prepare('three', { force: true });
      expect(after.plan.own.lastIndex).toBe(lastIndex);
    }
    expect(await config('three')).toMatchObject({ epoch: 2 });
    await start('three');
    await using client = await connect({ profileDir: join(root, 'client') });
    expect((await client.stat('/before')).kind).toBe('directory');
    await client.mkdir('/after');
    expect((await client.status()).cluster?.epoch).toBe(2);
  });

  it('is refused on a node that another recovery left behind', async () => {
    await expect(prepare('two')).rejects.toMatchObject({ code: 'NODE_RECOVERED_ELSEWHERE' });
  });

  it.each(['one', 'two'])(
    'is told to %s, left behind without its log, rather than that nobody has a number for it',
    async (name) => {
      for (const file of await readdir(directory(name)))
        if (/^(raft|namespace)\.db/.test(file)) await rm(join(directory(name), file));
      await expect(startNode(COMPONENTS, directory(name), { onFatal: () => {} })).rejects.toMatchObject({
        code: 'METADATA_SUPERSEDED',
        facts: { epoch: 1, current: 2 },
      });
    },
  );
});

/** Of those that no system gives to outgoing connections: it is to be free still when the node comes back to it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
