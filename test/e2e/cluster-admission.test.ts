/** @module Who comes into a cluster, who is turned away, and how one leaves. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { decodeToken, encodeToken } from '../../src/protocol/token.ts';
import { eventually } from './support/eventually.ts';
import { codeOf, Machine, type Typed } from './support/machine.ts';

interface NewToken {
  readonly token: string;
  readonly id: string;
}

describe('the door of a cluster', () => {
  let cluster: LocalCluster;
  let administrator: Machine;
  let others = 0;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 1, replication: 1 });
    administrator = await stranger();
    expect(await administrator.type('connect', cluster.token)).toMatchObject({ status: EXIT.ok });
  });
  afterAll(() => cluster?.stop());

  /** Somebody whom the cluster has never seen. */
  function stranger(): Promise<Machine> {
    others += 1;
    return Machine.create(cluster.directory, `machine-${others}`);
  }

  function makeToken(...words: readonly string[]): Promise<NewToken> {
    return administrator.ask<NewToken>('cluster', 'token', 'create', ...words);
  }

  async function stateOf(id: string): Promise<string | undefined> {
    type Row = { readonly id: string; readonly state: string };
    const rows = await administrator.ask<readonly Row[]>('cluster', 'token', 'list');
    return rows.find((row) => row.id === id)?.state;
  }

  /** Both ways in with a token: as a node and as a client. */
  async function expectTurnedAway(token: string, code: string): Promise<void> {
    const machine = await stranger();
    const ways = [
      ['cluster', 'join', token],
      ['connect', token],
    ];
    for (const typed of await Promise.all(ways.map((words) => machine.type(...words))))
      expectDenied(typed, code);
    expectDenied(await machine.type('ls', '/'), 'CLIENT_NO_PROFILE');
  }

  it('opens to a client with "connect TOKEN", once per use of the token', async () => {
    const { token, id } = await makeToken('--role', 'client', '--uses', '1');
    expect(await stateOf(id)).toBe('valid');
    const first = await stranger();
    expect(await first.type('connect', token)).toMatchObject({ status: EXIT.ok, stderr: '' });
    expect(await first.type('ls', '/')).toMatchObject({ status: EXIT.ok });
    expect(await stateOf(id)).toBe('used up');
    // The same client asking again has used nothing more.
    expect(await first.type('connect', token)).toMatchObject({ status: EXIT.ok });

    const second = await stranger();
    expectDenied(await second.type('connect', token), 'NAMESPACE_TOKEN_USED_UP');
    expectDenied(await second.type('ls', '/'), 'CLIENT_NO_PROFILE');
  });

  it('stays shut for a token that is mistyped or has a wrong secret', async () => {
    await expectTurnedAway(`${cluster.token.slice(0, -3)}AAA`, 'PROTOCOL_BAD_TOKEN');
    await expectTurnedAway('hf1_', 'PROTOCOL_BAD_TOKEN');
    const forged = encodeToken({ ...decodeToken(cluster.token), secret: new Uint8Array(24).fill(7) });
    await expectTurnedAway(forged, 'NAMESPACE_TOKEN_INVALID');
  });

  it('stays shut for a token that has expired or was revoked', async () => {
    const short = await makeToken('--role', 'data,client', '--unlimited', '--lifetime', '1s');
    await eventually('the token has expired', 20_000, async () =>
      (await stateOf(short.id)) === 'expired' ? true : undefined,
    );
    await expectTurnedAway(short.token, 'NAMESPACE_TOKEN_EXPIRED');

    const revoked = await makeToken('--role', 'meta,data,client', '--unlimited');
    expect(await administrator.type('cluster', 'token', 'revoke', revoked.id)).toMatchObject({
      status: EXIT.ok,
    });
    expect(await stateOf(revoked.id)).toBe('revoked');
    await expectTurnedAway(revoked.token, 'NAMESPACE_TOKEN_REVOKED');
  });

  it('lets nobody in for more than the token says', async () => {
    const { token } = await makeToken('--role', 'client', '--unlimited');
    const machine = await stranger();
    const asNode = await machine.type(
      'cluster',
      'join',
      token,
      '--role',
      'data',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
    );
    expectDenied(asNode, 'NAMESPACE_ROLE_NOT_ALLOWED');
    expect(await administrator.type('cluster', 'token', 'create', '--role', 'king')).toMatchObject({
      status: EXIT.usage,
    });
  });

  it('stays shut for tokens, clients and nodes of another cluster', async () => {
    const foreign = await stranger();
    const listen = ['--listen', '/ip4/127.0.0.1/tcp/0'];
    const { token } = await foreign.ask<{ token: string }>('cluster', 'init', ...listen);
    // A token of the other cluster at our address.
    const { addresses, clusterId } = decodeToken(cluster.token);
    await expectTurnedAway(encodeToken({ ...decodeToken(token), addresses }), 'NAMESPACE_WRONG_CLUSTER');
    // Our token in a directory, and for a profile, of the other cluster.
    const joined = await foreign.type('cluster', 'join', cluster.token);
    expect(joined.status).toBe(EXIT.node);
    expect(codeOf(joined)).toBe('NODE_OTHER_CLUSTER');
    expectDenied(await foreign.type('connect', cluster.token), 'CLIENT_OTHER_CLUSTER');
    // A client and a node of the other cluster that are pointed at ours.
    const [address = ''] = addresses;
    const peer = address.split('/').at(-1) ?? '';
    const profile = join(foreign.home, '.holdfast', 'client', 'profile.json');
    await rewrite(profile, (found) => ({ ...found, clusterId, peers: [{ peer, addresses }] }));
    expectDenied(await foreign.type('ls', '/'), 'NETWORK_NOT_A_MEMBER');
    expectDenied(await foreign.type('rm', '-r', '/'), 'NETWORK_NOT_A_MEMBER');
    await rewrite(join(foreign.nodeDirectory, 'node.json'), (found) => ({
      ...found,
      bootstrap: [{ number: 1, peer, addresses }],
    }));
    const node = await foreign.run('node', 'start');
    const { number } = JSON.parse(await readFile(join(cluster.nodeDirectory('d1'), 'node.json'), 'utf8')) as {
      number: number;
    };
    type Status = { dataNodes: { member: { number: number } }[]; metadataNodes: unknown[] };
    const seen = await administrator.ask<Status>('cluster', 'status');
    expect(seen.dataNodes.map(({ member }) => member.number)).toEqual([number]);
    expect(seen.metadataNodes).toHaveLength(1);
    await node.end('SIGKILL');
  });

  it('lets a datanode join and leave for good, and shows who is there', async () => {
    const { token } = await makeToken('--role', 'data', '--uses', '1');
    const machine = await stranger();
    const profile = join(cluster.profileDir);
    const words = ['--role', 'data', '--listen', '/ip4/127.0.0.1/tcp/0', '--profile', profile];
    const running = await machine.run('cluster', 'join', token, '--start', ...words);
    type Status = { dataNodes: { member: { number: number }; liveness: string }[] };
    const alive = async (count: number): Promise<true | undefined> => {
      const { dataNodes } = await administrator.ask<Status>('cluster', 'status');
      return dataNodes.length === count && dataNodes.every(({ liveness }) => liveness === 'alive')
        ? true
        : undefined;
    };
    await eventually('two datanodes are alive', 20_000, () => alive(2));

    expect(await machine.type('cluster', 'leave', '--profile', profile)).toMatchObject({
      status: EXIT.ok,
      stdout: expect.stringMatching(/^Member \d+ has left the cluster\./),
    });
    await eventually('one datanode is left', 20_000, () => alive(1));
    await running.end('SIGTERM');
    const again = await machine.type('node', 'start');
    expect(again.status).toBe(EXIT.node);
    expect(codeOf(again)).toBe('NODE_HAS_LEFT');
  });

  it('does not let the last metadata node leave', async () => {
    const { number } = cluster.node('m1').ready;
    const refused = await administrator.type('cluster', 'remove', String(number));
    expect(codeOf(refused)).toBe('METADATA_LAST_METADATA_NODE');
    expect(refused.status).toBe(EXIT.conflict);
    expect(await administrator.type('ls', '/')).toMatchObject({ status: EXIT.ok });
  });
});

function expectDenied(typed: Typed, code: string): void {
  expect({ ...typed, code: codeOf(typed) }).toMatchObject({ code, status: EXIT.denied, stdout: '' });
}

async function rewrite(
  file: string,
  change: (found: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const found = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify(change(found)));
}
