/** @module Versions side by side in one cluster: the gate stays shut while an old one is there, and opens once none is. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import type { Command } from '../../src/namespace/schema.ts';
import { call } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { CONFIGURE, FORWARD, STAT, STATUS } from '../../src/protocol/methods.ts';
import { type RunningNode, TestCluster } from './cluster.ts';

const OLD = { featureLevel: 1 };
const NEW = { featureLevel: 2 };

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

type Kind = NonNullable<Command['kind']>;
const symlink = (path: string): Kind => ({
  $case: 'makeSymlink',
  value: { path, target: '/', attributes: undefined },
});
const mkdir = (path: string): Kind => ({ $case: 'makeDirectory', value: { path, parents: false } });

/** 'stat', or the code of the refusal, whoever refused. */
async function outcome(to: TestCluster, client: Network, via: RunningNode, kind: Kind): Promise<string> {
  try {
    const result = await to.mutate(client, via.peer, kind);
    return result.kind?.$case === 'refused' ? result.kind.value.code : (result.kind?.$case ?? 'nothing');
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** One after the other stops as the old version and comes back as the new one. */
async function upgrade(to: TestCluster, number: number): Promise<void> {
  await to.kill(number);
  await to.restart(number, NEW);
  await to.leader();
}

/** Notes the facts of one event. */
function listener(wanted: string, facts: object[]): Logger {
  const note = (event: string, fields: object = {}): void => {
    if (event === wanted) facts.push(fields);
  };
  const logger: Logger = { ...silentLogger, debug: note, info: note, with: () => logger };
  return logger;
}

async function hashes(of: TestCluster): Promise<Set<string>> {
  const all = [...of.nodes.values()];
  const index = (await of.leader()).machine.appliedIndex;
  await of.until('all have applied the same', () =>
    all.every(({ machine }) => machine.appliedIndex >= index),
  );
  return new Set(
    (await Promise.all(all.map(({ machine }) => machine.namespaceHash()))).map(
      ({ hash, index: at }) => `${at}:${hash}`,
    ),
  );
}

describe('a cluster whose nodes are upgraded one by one', () => {
  it('refuses what is new until the last one is upgraded, then takes it from every node', async () => {
    cluster = await TestCluster.start(3, OLD);
    const home = cluster;
    const client = await cluster.client();
    for (const number of [1, 2]) {
      await upgrade(cluster, number);
      for (const node of cluster.nodes.values()) {
        expect(await outcome(cluster, client, node, symlink('/l'))).toBe('NAMESPACE_FEATURE_NOT_ACTIVE');
        const path = `/upgraded-${number}-via-${node.number}`;
        expect(await outcome(cluster, client, node, mkdir(path))).toBe('stat');
      }
    }
    expect([...cluster.nodes.values()].map(({ machine }) => machine.featureLevel)).toEqual([1, 1, 1]);
    // Commands of the cluster itself, too: in the log they would stop the third node.
    const administrator = cluster.node(1).network;
    for (const via of [1, 2])
      await expect(
        call(administrator, cluster.node(via).peer, CONFIGURE, { voters: 3, voterReplacementMs: 0 }),
      ).rejects.toMatchObject({ code: 'NAMESPACE_FEATURE_NOT_ACTIVE' });
    await upgrade(cluster, 3);
    await cluster.until('the gate is open everywhere', () =>
      [...home.nodes.values()].every(({ machine }) => machine.featureLevel === 2),
    );
    for (const node of cluster.nodes.values())
      expect(await outcome(cluster, client, node, symlink(`/via-${node.number}`))).toBe('stat');
    const { stat } = await call(client, cluster.any().peer, STAT, { path: '/via-1/via-2', stale: false });
    expect(stat?.path).toBe('/');
    expect(await hashes(cluster)).toHaveProperty('size', 1);
    expect(cluster.fatal).toEqual([]);
  });

  it('keeps the gate shut while one of them is away', async () => {
    const looks: object[] = [];
    cluster = await TestCluster.start(3, OLD, listener('feature.gate-shut', looks));
    const client = await cluster.client();
    for (const number of [1, 2, 3]) await cluster.kill(number);
    for (const number of [1, 2]) await cluster.restart(number, NEW);
    const leader = await cluster.leader();
    const before = leader.machine.appliedIndex;
    expect(await outcome(cluster, client, leader, mkdir('/two-of-three'))).toBe('stat');
    expect(leader.machine.appliedIndex).toBeGreaterThan(before);
    // It has been looked at more than once, with the third node asked in vain.
    await cluster.until('the leader has looked', () => looks.length > 1);
    expect(leader.machine.featureLevel).toBe(1);
    await cluster.restart(3, NEW);
    await cluster.until('the gate is open', () => leader.machine.featureLevel === 2);
  });
});

describe('a node of an older version', () => {
  it('that does not even know the question keeps the gate shut', async () => {
    const looks: object[] = [];
    cluster = await TestCluster.start(1, OLD, listener('feature.gate-shut', looks));
    // A member that is there and serves nothing of what is asked.
    const old = await cluster.newPeer();
    old.authorize(() => true);
    const { member } = await cluster.join(old, ['meta'], '', OLD);
    await cluster.kill(1);
    const { machine } = await cluster.restart(1, NEW);
    await cluster.until('the leader has looked', () => looks.length > 1);
    expect(looks[0]).toEqual({ level: 1, behind: [member?.number] });
    expect(machine.featureLevel).toBe(1);
  });

  it('is told from the new ones in the status', async () => {
    cluster = await TestCluster.start(3, OLD);
    const client = await cluster.client();
    await upgrade(cluster, 2);
    const { metadataNodes } = await call(client, cluster.node(2).peer, STATUS, { stale: true });
    const levels = metadataNodes.map(({ member, position }) => [member?.number, position?.featureLevel]);
    expect(levels).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
  });

  it('is refused when it wants to join, and may still join as a datanode', async () => {
    cluster = await TestCluster.start(1);
    await expect(cluster.addNode(OLD)).rejects.toMatchObject({
      code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW',
      kind: 'refused',
    });
    const peer = await cluster.newPeer();
    const { member } = await cluster.join(peer, ['data'], 'h', OLD);
    expect(member?.roles).toEqual(['data']);
  });

  it('does not start over rows of the new level', async () => {
    cluster = await TestCluster.start(3);
    const { number } = await cluster.follower();
    await cluster.kill(number);
    await expect(cluster.restart(number, OLD)).rejects.toMatchObject({
      code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW',
    });
  });

  it('that was away while the gate opened stops at the entry that opened it', async () => {
    cluster = await TestCluster.start(3, OLD);
    const home = cluster;
    for (const number of [1, 2, 3]) await upgrade(cluster, number);
    await cluster.until('the gate is open everywhere', () =>
      [...home.nodes.values()].every(({ machine }) => machine.featureLevel === 2),
    );
    // A downgrade: its namespace is behind its log, as after a crash, so that its rows do not tell yet.
    const { number } = await cluster.follower();
    await cluster.kill(number);
    cluster.forgetRows(number);
    await cluster.restart(number, OLD);
    await cluster.until('it has stopped itself', () => home.fatal.length > 0);
    expect(cluster.fatal[0]).toMatchObject({
      code: 'METADATA_FAILED',
      message: expect.stringContaining('Upgrade this node'),
      cause: { code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW' },
    });
    await expect(cluster.kill(number)).rejects.toMatchObject({ code: 'NAMESPACE_FEATURE_LEVEL_TOO_LOW' });
  });
});

it('never lets a command that it does not know into the log', async () => {
  cluster = await TestCluster.start(2);
  const [leader, follower] = [await cluster.leader(), await cluster.follower()];
  const unknown = { session: '', sequence: 0, ackedBelow: 0, command: { kind: undefined } };
  await expect(
    call(follower.network, leader.peer, FORWARD, { commands: [unknown], hops: 1 }),
  ).rejects.toMatchObject({ code: 'METADATA_BAD_REQUEST' });
  expect(cluster.fatal).toEqual([]);
});
