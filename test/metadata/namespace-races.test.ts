/** @module What the namespace promises to many clients at once, through every node and across the death of the leader. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/common/hashing.ts';
import type { BlockRef, Command, Grant, Result, Stat } from '../../src/namespace/schema.ts';
import { call } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { LIST, STAT } from '../../src/protocol/methods.ts';
import { TestCluster } from './cluster.ts';

type Kind = NonNullable<Command['kind']>;

const ATTEMPTS = 60;

describe('many clients at once, and a leader that dies among them', () => {
  let cluster: TestCluster;
  let client: Network;
  beforeEach(async () => {
    cluster = await TestCluster.start(3);
    client = await cluster.client();
  });
  afterEach(async () => {
    await cluster.stop();
    expect(cluster.fatal).toEqual([]);
  });

  /** Through any node that runs, another one each time. */
  function change(kind: Kind, turn = 0): Promise<Result> {
    const nodes = [...cluster.nodes.values()];
    const via = nodes[turn % nodes.length];
    if (via === undefined) throw new Error('no node runs');
    return cluster.mutate(client, via.peer, kind);
  }
  const outcome = ({ kind }: Result): string =>
    kind?.$case === 'refused' ? kind.value.code : (kind?.$case ?? 'nothing');
  const mkdir = (path: string): Kind => ({ $case: 'makeDirectory', value: { path, parents: false } });
  const rename = (from: string, to: string): Kind => ({
    $case: 'rename',
    value: { from, to, noClobber: false },
  });
  const put = (path: string, text: string, precondition = { ifAbsent: false, ifVersion: 0 }): Kind => ({
    $case: 'createFile',
    value: { ...FILE, path, complete: true, blocks: [block(text)], precondition },
  });
  async function stat(path: string): Promise<Stat> {
    const answer = await call(client, cluster.any().peer, STAT, { path, stale: false });
    if (answer.stat === undefined) throw new Error('no stat');
    return answer.stat;
  }
  async function names(path: string): Promise<string[]> {
    const page = { path, after: '', limit: 0, stale: false };
    return (await call(client, cluster.any().peer, LIST, page)).entries.map(({ name }) => name);
  }

  /** Runs `count` changes at once, through the two nodes that stay, and kills the leader when half of them are on their way. */
  async function race(count: number, make: (turn: number) => Kind): Promise<string[]> {
    const leader = await cluster.leader();
    const staying = [...cluster.nodes.values()].filter(({ number }) => number !== leader.number);
    const send = async (turn: number): Promise<string> =>
      outcome(await cluster.mutate(client, staying[turn % staying.length]?.peer ?? '', make(turn)));
    const first = Array.from({ length: count / 2 }, async (_, turn) => send(turn));
    await first[0];
    const second = Array.from({ length: count / 2 }, async (_, turn) => send(count / 2 + turn));
    await cluster.kill(leader.number);
    return Promise.all([...first, ...second]);
  }

  it('put if absent: exactly one succeeds', async () => {
    const absent = { ifAbsent: true, ifVersion: 0 };
    const results = await race(ATTEMPTS, (turn) => put('/one', `writer ${turn}`, absent));
    expect(results.filter((result) => result === 'stat')).toHaveLength(1);
    expect(results.filter((result) => result === 'NAMESPACE_EXISTS')).toHaveLength(ATTEMPTS - 1);
  });

  it('put if version: of those who saw the same version exactly one succeeds', async () => {
    await change(put('/v', 'base'));
    const { version } = await stat('/v');
    const seen = { ifAbsent: false, ifVersion: version };
    const results = await race(ATTEMPTS, (turn) => put('/v', `writer ${turn}`, seen));
    expect(results.filter((result) => result === 'stat')).toHaveLength(1);
    expect(results.filter((result) => result === 'NAMESPACE_VERSION_MISMATCH')).toHaveLength(ATTEMPTS - 1);
    expect((await stat('/v')).version).toBeGreaterThan(version);
  });

  it('rename: directories that all want the place of one empty directory; one gets it, nothing is lost', async () => {
    await change(mkdir('/target'));
    for (let turn = 0; turn < 20; turn++) {
      await change(mkdir(`/d${turn}`), turn);
      await change(mkdir(`/d${turn}/inside-${turn}`), turn);
    }
    const results = await race(20, (turn) => rename(`/d${turn}`, '/target'));
    expect(results.filter((result) => result === 'stat')).toHaveLength(1);
    expect(results.filter((result) => result === 'NAMESPACE_NOT_EMPTY')).toHaveLength(19);
    expect(await names('/')).toHaveLength(20);
    const winner = results.indexOf('stat');
    expect(await names('/target')).toEqual([`inside-${winner}`]);
  });

  it('rename: two directories into each other at once never make a circle', async () => {
    for (let pair = 0; pair < 10; pair++) {
      await change(mkdir(`/p${pair}`));
      await change(mkdir(`/p${pair}/a`));
      await change(mkdir(`/p${pair}/b`));
    }
    const results = await race(20, (turn) => {
      const [dir, from, to] = [`/p${turn % 10}`, turn < 10 ? 'a' : 'b', turn < 10 ? 'b' : 'a'];
      return rename(`${dir}/${from}`, `${dir}/${to}/${from}`);
    });
    expect(results.filter((result) => result === 'stat')).toHaveLength(10);
    // What is inside of a circle cannot be reached from the root any more.
    for (let pair = 0; pair < 10; pair++) {
      const [top] = await names(`/p${pair}`);
      expect(await names(`/p${pair}/${top}`)).toHaveLength(1);
    }
  });

  it('open append: one holds the lease, under a token of its own; the next gets it when the lease has run out', async () => {
    await change(put('/log', 'base'));
    const open = (): Kind => ({
      $case: 'openAppend',
      value: { path: '/log', leaseMs: 1_000, precondition: undefined },
    });
    const results = await race(20, open);
    expect(results.filter((result) => result === 'grant')).toHaveLength(1);
    expect(results.filter((result) => result === 'NAMESPACE_LEASE_HELD')).toHaveLength(19);
    // Nobody renews it: the new leader's Housekeeping takes it back and frees what was gathered.
    await cluster.until('the lease is taken back', () => cluster.any().machine.counters().leases === 0);
    expect(outcome(await change(open()))).toBe('grant');
  });

  it('an expired lease is taken back by the next leader, its blocks freed, and its holder fenced off', async () => {
    const create = { ...FILE, path: '/lost', complete: false, blocks: [], leaseMs: 1_000 };
    const grant = grantOf(
      await change({ $case: 'createFile', value: { ...create, precondition: undefined } }),
    );
    const { inode, fencingToken } = grant;
    const claim = { inode, fencingToken };
    await change({
      $case: 'appendBlocks',
      value: { ...claim, firstBlock: 0, blocks: [block('a'), block('b')] },
    });
    expect(cluster.any().machine.counters()).toMatchObject({ leases: 1 });
    await cluster.kill((await cluster.leader()).number);
    await cluster.until('all is freed', () => {
      const { leases, orphans, blocks } = cluster.any().machine.counters();
      return leases === 0 && orphans === 0 && blocks === 0;
    });
    const close: Kind = {
      $case: 'closeFile',
      value: { ...claim, precondition: undefined, mtimeMs: 0 },
    };
    expect(outcome(await change(close))).toBe('NAMESPACE_LEASE_EXPIRED');
    expect(await names('/')).toEqual([]);
  });
});

const FILE = { parents: false, replication: 0, blockSizeBytes: 0, leaseMs: 0, mtimeMs: 0 };

function block(text: string): BlockRef {
  return { hash: new Uint8Array(sha256(Buffer.from(text))), sizeBytes: 10 };
}

function grantOf({ kind }: Result): Grant {
  if (kind?.$case !== 'grant') throw new Error(`expected a grant, got ${JSON.stringify(kind)}`);
  return kind.value;
}
