import { beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/common/hashing.ts';
import type { Token } from '../../src/namespace/schema.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { TableName } from '../../src/storage/row-store.ts';
import { command, FoundedMachine, member, memberOf, outcome, START_MS } from './founded-machine.ts';

const SECRET = new Uint8Array(sha256(Buffer.from('secret')));

function token(id: string, fields: Partial<Token>): Token {
  return {
    id,
    secretHash: SECRET,
    roles: ['data', 'client'],
    usesLeft: 1,
    unlimited: false,
    createdMs: 0,
    expiresMs: START_MS + 1000,
    revoked: false,
    usedBy: [],
    ...fields,
  };
}

/** Looks around whenever rows are read: an entry may be half applied. */
class WatchedStore extends MemoryRowStore {
  onRead: (() => void) | undefined;

  override getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.onRead?.();
    return super.getMany(table, keys);
  }
}

describe('members', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await tree.do('createToken', { token: token('t', {}) });
  });
  const join = (peer: string, tokenId = 't', roles = ['data'], tokenSecretHash = SECRET) =>
    tree.do('addMember', { member: member(peer, ...roles), tokenId, tokenSecretHash });

  it('numbers the founders from 1 and those who join after them', async () => {
    expect(tree.machine.memberByPeer('peer-1')).toMatchObject({
      number: 1,
      state: 'active',
      joinedMs: START_MS,
    });
    const { membersVersion } = tree.machine.counters();
    expect(memberOf(await join('p2'))).toMatchObject({ number: 2, state: 'active' });
    expect(tree.machine.memberByNumber(2)?.peer).toBe('p2');
    expect(tree.machine.members().map(({ peer }) => peer)).toEqual(['peer-1', 'p2']);
    expect(tree.machine.counters().membersVersion).toBeGreaterThan(membersVersion);
  });

  it('and the version of their list are of whole entries: two changes of one entry are never seen apart', async () => {
    const store = new WatchedStore();
    tree = await FoundedMachine.create(store);
    for (const peer of ['p2', 'p3']) await tree.do('addMember', { member: member(peer, 'data') });
    await tree.machine.flush();
    await tree.reopen();
    const seen: string[] = [];
    const look = (): void => {
      const dead = tree.machine.members().filter(({ liveness }) => liveness === 'dead').length;
      const others = tree.machine.memberByNumber(2)?.liveness ?? '';
      seen.push(`${tree.machine.counters().membersVersion}: ${dead} ${others}`);
    };
    const kill = (number: number) => command('setLiveness', { changes: [{ number, liveness: 'dead' }] });
    look();
    // Nobody looks between this entry and the next.
    await tree.send({ session: '', sequence: 0, ackedBelow: 0, command: kill(1) });
    const before = `${tree.index}: 1 `;
    store.onRead = look;
    // The one between needs rows that have to be loaded first.
    const commands = [kill(2), command('makeDirectory', { path: '/d' }), kill(3)];
    await tree.batch(commands.map((each) => ({ session: '', sequence: 0, ackedBelow: 0, command: each })));
    store.onRead = undefined;
    look();
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen.slice(1, -1))).toEqual(new Set([before]));
    expect(seen.at(-1)).toBe(`${tree.index}: 3 dead`);
  });

  it('answers a retried join with the same member, even by a used up token', async () => {
    await join('p2');
    tree.timeMs += 5000;
    expect(memberOf(await join('p2'))).toMatchObject({ number: 2, joinedMs: START_MS });
    expect(outcome(await join('p3'))).toMatch(/TOKEN_EXPIRED/);
  });

  it('checks the token: secret, uses, time, revocation, roles', async () => {
    expect(outcome(await join('p2', 't', ['data'], new Uint8Array(32)))).toBe('NAMESPACE_TOKEN_INVALID');
    expect(outcome(await join('p2', 'unknown'))).toBe('NAMESPACE_TOKEN_INVALID');
    for (const roles of [['meta'], ['data', 'meta'], ['meta', 'data']])
      expect(outcome(await join('p2', 't', roles))).toBe('NAMESPACE_ROLE_NOT_ALLOWED');
    expect(outcome(await join('p2', 't', ['king']))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(outcome(await join('p2', 't', []))).toBe('NAMESPACE_INVALID_ARGUMENT');
    await join('p2');
    expect(outcome(await join('p3'))).toBe('NAMESPACE_TOKEN_USED_UP');
    await tree.do('createToken', { token: token('many', { unlimited: true, expiresMs: 0 }) });
    expect(outcome(await join('p3', 'many'))).toBe('member');
    expect(outcome(await join('p4', 'many'))).toBe('member');
    await tree.do('revokeToken', { id: 'many' });
    expect(outcome(await join('p5', 'many'))).toBe('NAMESPACE_TOKEN_REVOKED');
    expect(outcome(await join('p4', 'many'))).toBe('member');
    expect(outcome(await tree.do('revokeToken', { id: 'none' }))).toBe('NAMESPACE_TOKEN_INVALID');
    expect(tree.machine.tokens()).toHaveLength(2);
  });

  it('adds roles to a member that joins again, for another use of a token', async () => {
    await tree.do('createToken', { token: token('meta', { roles: ['meta'] }) });
    await join('p2');
    expect(memberOf(await join('p2', 'meta', ['meta']))).toMatchObject({
      number: 2,
      roles: ['data', 'meta'],
    });
    expect(outcome(await join('p3', 'meta', ['meta']))).toBe('NAMESPACE_TOKEN_USED_UP');
  });

  it('keeps the number of a member that left, and gives it a new one when it returns', async () => {
    await join('p2');
    expect(outcome(await tree.do('removeMember', { number: 2 }))).toBe('done');
    expect(outcome(await tree.do('removeMember', { number: 2 }))).toBe('done');
    expect(outcome(await tree.do('removeMember', { number: 9 }))).toBe('NAMESPACE_NO_SUCH_MEMBER');
    expect(tree.machine.memberByPeer('p2')?.state).toBe('left');
    expect(outcome(await join('p2'))).toBe('NAMESPACE_TOKEN_USED_UP');
    expect(memberOf(await join('p2', ''))).toMatchObject({ number: 3, state: 'active' });
    expect(tree.machine.memberByPeer('p2')?.number).toBe(3);
  });

  it('keeps the last metadata node, also when each of two removals left one', async () => {
    await tree.do('createToken', { token: token('metas', { roles: ['meta'], unlimited: true }) });
    await join('p2', 'metas', ['meta']);
    await join('p3');
    expect(outcome(await tree.do('removeMember', { number: 1 }))).toBe('done');
    expect(outcome(await tree.do('removeMember', { number: 2 }))).toBe('NAMESPACE_LAST_METADATA_NODE');
    expect(outcome(await tree.do('removeMember', { number: 3 }))).toBe('done');
  });

  it('updates what is given and leaves the rest', async () => {
    await tree.do('updateMember', { number: 1, addresses: ['/ip4/1.2.3.4/tcp/1'], host: 'h' });
    await tree.do('updateMember', { number: 1, zone: 'z' });
    expect(tree.machine.memberByNumber(1)).toMatchObject({
      addresses: ['/ip4/1.2.3.4/tcp/1'],
      host: 'h',
      zone: 'z',
      name: 'peer-1',
      roles: ['meta', 'data'],
    });
    expect(outcome(await tree.do('updateMember', { number: 7 }))).toBe('NAMESPACE_NO_SUCH_MEMBER');
  });

  it('survives a restart', async () => {
    await join('p2');
    await tree.machine.flush();
    await tree.reopen();
    expect(tree.machine.members()).toHaveLength(2);
    expect(tree.machine.tokens()[0]).toMatchObject({ id: 't', usesLeft: 0, usedBy: ['p2'] });
    expect(tree.machine.cluster()).toMatchObject({ id: 'c1', defaultBlockSizeBytes: 8 * 1024 * 1024 });
  });

  it('takes a token sent twice once, and no other under its id', async () => {
    expect(outcome(await tree.do('createToken', { token: token('t', {}) }))).toBe('done');
    const other = token('t', { secretHash: new Uint8Array(32) });
    expect(outcome(await tree.do('createToken', { token: other }))).toBe('NAMESPACE_EXISTS');
    expect(outcome(await tree.do('createToken', { token: token('a~', {}) }))).toBe(
      'NAMESPACE_INVALID_ARGUMENT',
    );
  });

  it('gives a peer the next number and takes the old one out in one command, once however often it comes', async () => {
    await join('p2');
    expect(memberOf(await tree.do('replaceMember', { number: 2 }))).toMatchObject({
      number: 3,
      peer: 'p2',
      roles: ['data'],
      state: 'active',
    });
    expect(tree.machine.memberByNumber(2)?.state).toBe('left');
    expect(memberOf(await tree.do('replaceMember', { number: 2 }))).toMatchObject({ number: 3 });
    expect(outcome(await tree.do('replaceMember', { number: 9 }))).toBe('NAMESPACE_NO_SUCH_MEMBER');
    expect(tree.machine.memberByPeer('p2')?.number).toBe(3);
  });
});
