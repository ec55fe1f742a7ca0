/** @module `cluster recover` killed with -9 between any two of its steps: the same command brings it to its end, once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { connect } from '../../src/index.ts';
import { startNode } from '../../src/node/holdfast-node.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import { Recovery } from '../../src/node/recover-cluster.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const SCRIPT = fileURLToPath(new URL('./support/killed-recovery.ts', import.meta.url));
/** Where the node may start although the recovery was killed: before its mark, and after its mark went. */
const STARTABLE = ['before beginRecovery', 'after endRecovery'];

describe('a recovery', () => {
  let root: string;
  let directory: string;
  let profileDir: string;
  let recovered = 0;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-killed-'));
    directory = join(root, 'one');
    profileDir = join(root, 'client');
    const node = { directory, name: 'one', host: 'one', listen: ['/ip4/127.0.0.1/tcp/0'], announce: [] };
    const cluster = { name: 'test', replication: 1, blockSizeBytes: 65_536 };
    await initCluster(COMPONENTS, cluster, { ...node, profileDir, roles: ['meta'] });
    await whileRunning((client) => client.mkdir('/kept'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  async function whileRunning(
    work: (client: Awaited<ReturnType<typeof connect>>) => Promise<unknown>,
  ): Promise<void> {
    const node = await startNode(COMPONENTS, directory, { onFatal: () => {} });
    try {
      await using client = await connect({ profileDir });
      await work(client);
    } finally {
      await node.stop();
    }
  }

  it.each([
    ['before', 'beginRecovery'],
    ['after', 'beginRecovery'],
    ['after', 'append'],
    ['before', 'saveConfig'],
    ['after', 'saveConfig'],
    ['after', 'endRecovery'],
  ])('killed %s %s is done exactly once in the end', async (when, step) => {
    const child = spawn(process.execPath, [SCRIPT, directory, when, step], { stdio: 'inherit' });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');

    recovered += 1;
    if (!STARTABLE.includes(`${when} ${step}`))
      await expect(startNode(COMPONENTS, directory, { onFatal: () => {} })).rejects.toMatchObject({
        code: 'NODE_RECOVERY_UNFINISHED',
      });
    if (`${when} ${step}` !== 'after endRecovery') {
      await using recovery = await Recovery.prepare(COMPONENTS, directory, { force: true });
      expect(recovery.plan.epoch).toBe(1 + recovered);
      await recovery.carryOut(systemClock.wallMs());
    }
    const config = JSON.parse(await readFile(join(directory, 'node.json'), 'utf8')) as { epoch: number };
    expect(config.epoch).toBe(1 + recovered);
    await whileRunning(async (client) => {
      expect((await client.status()).cluster?.epoch).toBe(1 + recovered);
      expect((await client.stat('/kept')).kind).toBe('directory');
      await client.touch(`/kept/${recovered}`);
    });
  });

  it('has kept what was written between all of them', async () => {
    await whileRunning(async (client) => {
      const names: string[] = [];
      for await (const { name } of client.list('/kept')) names.push(name);
      expect(names).toHaveLength(recovered);
    });
  });
});
