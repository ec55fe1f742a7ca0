/** @module A datanode whose disk is not there: it does not start as one that has nothing. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import type { NodeChanges } from '../../src/node/node-changes.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };

let root: string;
let running: RunningNode | undefined;

const directory = (): string => join(root, 'node');
const blocks = (): string => join(directory(), 'blocks');

async function start(changes: NodeChanges = {}): Promise<void> {
  running = await startNode(COMPONENTS, directory(), { changes, onFatal: () => {} });
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-lost-blocks-'));
  await initCluster(
    COMPONENTS,
    { name: 'test', replication: 1, blockSizeBytes: 65_536 },
    {
      directory: directory(),
      profileDir: join(root, 'client'),
      name: 'node',
      host: 'node',
      roles: ['meta', 'data'],
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
    },
  );
  await start();
  await stop();
});
afterEach(async () => {
  await stop();
  await rm(root, { recursive: true, force: true });
});

it('is not started on the empty directory that its disk is mounted on, and is once that is back', async () => {
  await rename(blocks(), join(root, 'disk'));
  const gone = { code: 'NODE_BLOCKS_GONE', kind: 'refused' };
  await expect(start()).rejects.toMatchObject(gone);
  // As a new file system has it.
  await mkdir(join(blocks(), 'lost+found'), { recursive: true });
  await expect(start()).rejects.toMatchObject(gone);
  await rm(blocks(), { recursive: true });
  await rename(join(root, 'disk'), blocks());
  await start();
});

it('runs its other role, and starts with no blocks once it is told that they are lost', async () => {
  await rm(blocks(), { recursive: true });
  await start({ roles: ['meta'] });
  await stop();
  await start({ blocksLost: true });
  await stop();
  await start();
});
