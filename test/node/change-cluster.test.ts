/** @module A node of a lost cluster comes over to the one that takes its place, with its key, its blocks and its user's profile. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { connect } from '../../src/index.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import { changeCluster, type ChangeOptions } from '../../src/node/change-cluster.ts';
import { readConfig } from '../../src/node/data-directory.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { type Founded, initCluster } from '../../src/node/init-cluster.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';
import type { NodeRole } from '../../src/node/node-config.ts';
import { STANDING } from '../../src/protocol/methods.ts';
import { eventually } from '../e2e/support/eventually.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const TEXT = Buffer.from('what is to come back');
const PATIENCE_MS = 20_000;
/** What a metadata node on a busy machine may need to say that it is there. */
const BUSY_MS = 4_000;

let root: string;
let running: RunningNode[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-change-'));
  running = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const node of running) await node.stop();
  await rm(root, { recursive: true, force: true });
});

const profileDir = (): string => join(root, 'client');

function newNode(name: string, roles: readonly NodeRole[]) {
  const place = { directory: join(root, name), profileDir: profileDir(), name, host: name };
  return { ...place, roles, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [] };
}

function found(name: string, roles: readonly NodeRole[], recovers = false): Promise<Founded> {
  return initCluster(
    COMPONENTS,
    { name, replication: 1, blockSizeBytes: 65_536, recovers },
    newNode(name, roles),
  );
}

async function start(name: string): Promise<RunningNode> {
  const node = await startNode(COMPONENTS, join(root, name), { onFatal: () => {} });
  running.push(node);
  return node;
}

const change = (name: string, token: string, options: Partial<ChangeOptions> = {}) =>
  changeCluster(COMPONENTS, join(root, name), token, { profileDir: profileDir(), ...options });

async function loseLog(name: string): Promise<void> {
  const directory = join(root, name);
  for (const file of await readdir(directory))
    if (/^(raft|namespace)\.db|^snapshots$/.test(file)) await rm(join(directory, file), { recursive: true });
}

it('brings its blocks along, in which the files are found, when its own log is gone', async () => {
  await found('old', ['meta', 'data']);
  const before = await start('old');
  {
    await using client = await connect({ profileDir: profileDir() });
    await eventually('a put works', PATIENCE_MS, () => client.put('/a/b', TEXT, { parents: true }));
  }
  await before.stop();
  const { token } = await found('new', ['meta'], true);
  await start('new');
  await expect(change('old', token)).rejects.toMatchObject({ code: 'NODE_STILL_HAS_LOG' });
  await loseLog('old');
  const { config, profile, kept } = await change('old', token, { roles: ['data'] });
  expect([config.peer, config.roles, profile]).toEqual([before.config.peer, ['data'], 'kept']);
  expect(await readdir(kept)).toContain('peers.json');
  await expect(change('old', token)).rejects.toMatchObject({ code: 'NODE_ALREADY_JOINED' });
  await start('old');
  await using client = await connect({ profileDir: profileDir() });
  await eventually('the datanode is there', PATIENCE_MS, async () => {
    const { dataNodes } = await client.status();
    return dataNodes.some(({ liveness }) => liveness === 'alive') ? true : undefined;
  });
  await using recovery = await client.prepareRecovery({
    directory: root,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  expect(await recovery.carryOut()).toMatchObject({ restored: 1, failed: [] });
  const read = await eventually('its blocks are announced', PATIENCE_MS, async () => {
    const parts: Uint8Array[] = [];
    for await (const part of (await client.get('/a/b')).bytes) parts.push(part);
    return Buffer.concat(parts);
  });
  expect(read).toEqual(TEXT);
});

/** From now on nodes that start take their time to say whether somebody belongs to their cluster. */
function slowDownStanding(): void {
  const onRequest = FramedNetwork.prototype.onRequest;
  vi.spyOn(FramedNetwork.prototype, 'onRequest').mockImplementation(function (
    this: FramedNetwork,
    trafficClass,
    method,
    handler,
  ) {
    onRequest.call(this, trafficClass, method, async (request) => {
      if (method === STANDING.name) await sleep(systemClock, BUSY_MS);
      return handler(request);
    });
  });
}

it('stays as long as a metadata node of its cluster answers, however slowly, unless it is made to leave', async () => {
  const { token: oldToken } = await found('old', ['meta']);
  slowDownStanding();
  const old = await start('old');
  await joinCluster(COMPONENTS, oldToken, newNode('data', ['data']));
  const { token } = await found('new', ['meta'], true);
  await start('new');
  await expect(change('data', token)).rejects.toMatchObject({ code: 'NODE_CLUSTER_ANSWERS' });
  expect((await readConfig(join(root, 'data'))).clusterId).toBe(old.config.clusterId);
  const { formerCluster } = await change('data', token, { force: true });
  expect(formerCluster).toBe(old.config.clusterId);
});
