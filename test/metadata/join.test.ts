import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { decodeChain } from '../../dht/manifest-book.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { call } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import type { CreateTokenRequest, JoinResponse } from '../../src/protocol/messages.ts';
import {
  CREATE_TOKEN,
  JOIN,
  LIST_TOKENS,
  REMOVE_MEMBER,
  REVOKE_TOKEN,
  STAT,
  WHO_IS,
} from '../../src/protocol/methods.ts';
import { createManifestBook } from '../../src/protocol/manifest-exchange.ts';
import { decodeToken, type TokenContents } from '../../src/protocol/token.ts';
import { CLUSTER_ID, joinRequest, memberOf, TestCluster } from './cluster.ts';

let cluster: TestCluster;
let client: Network;
let door: string;

beforeAll(async () => {
  cluster = await TestCluster.start(2);
  client = await cluster.client();
  door = (await cluster.follower()).peer;
});
afterAll(() => cluster.stop());

async function createToken(wish: Partial<CreateTokenRequest> = {}): Promise<TokenContents> {
  const request = { roles: ['data'], uses: 1, unlimited: false, lifetimeMs: 60_000, ...wish };
  return decodeToken((await call(client, door, CREATE_TOKEN, request)).token);
}

async function joinWith(
  token: TokenContents,
  peer: Network,
  roles: readonly string[] = ['data'],
): Promise<unknown> {
  return call(peer, door, JOIN, {
    ...joinRequest(peer.localPeer, roles),
    cluster: token.clusterId,
    tokenId: token.tokenId,
    tokenSecret: token.secret,
  });
}

describe('joining', () => {
  it('makes a stranger a member, whom every metadata node knows, with its client', async () => {
    const token = await createToken();
    expect(token.addresses.length).toBeGreaterThan(0);
    const [peer, beside] = [await cluster.newPeer(), await cluster.newPeer()];
    const joined = await call(peer, door, JOIN, {
      ...joinRequest(peer.localPeer, ['data']),
      tokenId: token.tokenId,
      tokenSecret: token.secret,
      client: memberOf(beside.localPeer, ['client'], ''),
    });
    expect(joined.member).toMatchObject({ peer: peer.localPeer, roles: ['data'], state: 'active' });
    expect(joined.client).toMatchObject({ peer: beside.localPeer, roles: ['client'] });
    expect(joined.metadataNodes).toHaveLength(2);
    for (const node of cluster.nodes.values()) {
      const { member } = await call(beside, node.peer, WHO_IS, { peer: peer.localPeer });
      expect(member?.number).toBe(joined.member?.number);
    }
  });

  it('answers a repeated join with the same number', async () => {
    const token = await createToken();
    const peer = await cluster.newPeer();
    expect(await joinWith(token, peer)).toEqual(await joinWith(token, peer));
  });

  it('is refused with a wrong secret', async () => {
    const token = await createToken();
    const wrong = { ...token, secret: new Uint8Array(24) };
    await expect(joinWith(wrong, await cluster.newPeer())).rejects.toMatchObject({
      code: 'NAMESPACE_TOKEN_INVALID',
      kind: 'refused',
    });
  });

  it('is refused with an expired token', async () => {
    const token = await createToken({ lifetimeMs: 1 });
    await sleep(systemClock, 5);
    await expect(joinWith(token, await cluster.newPeer())).rejects.toMatchObject({
      code: 'NAMESPACE_TOKEN_EXPIRED',
    });
  });

  it('is refused with a revoked token', async () => {
    const token = await createToken();
    await call(client, door, REVOKE_TOKEN, { id: token.tokenId });
    await expect(joinWith(token, await cluster.newPeer())).rejects.toMatchObject({
      code: 'NAMESPACE_TOKEN_REVOKED',
    });
  });

  it('tells who revokes a token that is not there that nothing was revoked', async () => {
    await expect(call(client, door, REVOKE_TOKEN, { id: 'mistyped' })).rejects.toMatchObject({
      code: 'METADATA_NO_SUCH_TOKEN',
    });
  });

  it('enrols nobody else by a token that is over, not even the client beside a member that came by it', async () => {
    const token = await createToken();
    const [peer, beside, accomplice] = [
      await cluster.newPeer(),
      await cluster.newPeer(),
      await cluster.newPeer(),
    ];
    const joinBeside = (other: Network): Promise<JoinResponse> =>
      call(peer, door, JOIN, {
        ...joinRequest(peer.localPeer, ['data']),
        tokenId: token.tokenId,
        tokenSecret: token.secret,
        client: memberOf(other.localPeer, ['client'], ''),
      });
    const first = await joinBeside(beside);
    await call(client, door, REVOKE_TOKEN, { id: token.tokenId });
    await expect(joinBeside(accomplice)).rejects.toMatchObject({ code: 'NAMESPACE_TOKEN_REVOKED' });
    const { member } = await call(client, door, WHO_IS, { peer: accomplice.localPeer });
    expect(member).toBeUndefined();
    // Its own answer may have been lost.
    expect(await joinBeside(beside)).toMatchObject({ member: first.member, client: first.client });
  });

  it('is refused to a second peer with a token for one', async () => {
    const token = await createToken();
    await joinWith(token, await cluster.newPeer());
    await expect(joinWith(token, await cluster.newPeer())).rejects.toMatchObject({
      code: 'NAMESPACE_TOKEN_USED_UP',
    });
  });

  it('is refused for a role the token does not carry', async () => {
    const token = await createToken();
    await expect(joinWith(token, await cluster.newPeer(), ['meta'])).rejects.toMatchObject({
      code: 'NAMESPACE_ROLE_NOT_ALLOWED',
    });
  });

  it('is refused with a token of another cluster, and in the name of somebody else', async () => {
    const token = await createToken();
    const peer = await cluster.newPeer();
    await expect(joinWith({ ...token, clusterId: 'other' }, peer)).rejects.toMatchObject({
      code: 'NAMESPACE_WRONG_CLUSTER',
    });
    const request = joinRequest(client.localPeer, ['data']);
    await expect(call(peer, door, JOIN, request)).rejects.toMatchObject({ code: 'METADATA_NOT_ALLOWED' });
  });
});

describe('strangers who guess at a token', () => {
  it('are told to wait, and keep nobody out who has one', async () => {
    const home = await TestCluster.start(1);
    onTestFinished(() => home.stop());
    const { peer } = home.any();
    const guesser = await home.newPeer();
    const guess = { ...joinRequest(guesser.localPeer, ['meta']), tokenSecret: new Uint8Array(24) };
    const codes = new Set<unknown>();
    const guessing = async (): Promise<void> => {
      for (let count = 0; count < 16; count += 1)
        codes.add(await call(guesser, peer, JOIN, guess).catch(({ code }: { code: unknown }) => code));
    };
    // More at once than are heard, and each for as long as the others.
    await Promise.all(Array.from({ length: 8 }, guessing));
    expect(codes).toEqual(new Set(['NAMESPACE_TOKEN_INVALID', 'METADATA_JOIN_RATE_LIMITED']));
    expect((await home.join(await home.newPeer(), ['data'])).member).toMatchObject({ state: 'active' });
  });
});

describe('a metadata node that joins', () => {
  it('is given what the one that admits it has signed for it; a datanode is given nothing of the kind', async () => {
    const home = await TestCluster.start(1);
    onTestFinished(() => home.stop());
    const { peer } = home.any();
    const newcomer = await home.newPeer();
    const { manifests = new Uint8Array(0) } = await home.join(newcomer, ['meta']);
    const components = { network: newcomer, logger: silentLogger };
    // As whoever was away knows it.
    const known = (): Membership => ({ epoch: 0, peers: [peer] });
    const book = createManifestBook(components, { cluster: CLUSTER_ID, known });
    expect(book.take(decodeChain(manifests))).toBe(true);
    expect(book.trusts(newcomer.localPeer)).toBe(true);
    expect((await home.join(await home.newPeer(), ['data'])).manifests).toBeUndefined();
  });
});

describe('the rule of admission', () => {
  it('lets strangers, and members that left, do nothing but join', async () => {
    const stranger = await cluster.newPeer();
    const ask = { path: '/', stale: true };
    await expect(call(stranger, door, STAT, ask)).rejects.toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });

    const guest = await cluster.newPeer();
    const { member } = await cluster.join(guest, ['client']);
    await call(guest, door, STAT, ask);
    await call(client, door, REMOVE_MEMBER, {
      number: member?.number ?? 0,
      force: false,
      dryRun: false,
    });
    // The network asks the rule again once in a while, not at each request.
    await expect
      .poll(() => call(guest, door, STAT, ask).catch((error: unknown) => error), { timeout: 8_000 })
      .toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });
  });

  it('lets clients not propose what only the cluster itself may', async () => {
    const kind = {
      $case: 'addMember',
      value: { member: undefined, tokenId: '', tokenSecretHash: new Uint8Array(0) },
    } as const;
    await expect(cluster.propose(client, door, '', 0, kind)).rejects.toMatchObject({
      code: 'METADATA_NOT_ALLOWED',
    });
  });
});

describe('tokens', () => {
  it('are listed without their secret', async () => {
    const made = await createToken({ roles: ['client'], unlimited: true, uses: 0 });
    const { tokens } = await call(client, door, LIST_TOKENS, {});
    const listed = tokens.find(({ id }) => id === made.tokenId);
    expect(listed).toMatchObject({ roles: ['client'], unlimited: true, revoked: false });
    expect(Buffer.from(listed?.secretHash ?? []).equals(Buffer.from(made.secret))).toBe(false);
  });

  it('are refused without a role, without uses, and for more than ten years', async () => {
    for (const wish of [{ roles: [] }, { roles: ['king'] }, { uses: 0 }, { lifetimeMs: 4e11 }])
      await expect(createToken(wish)).rejects.toMatchObject({ code: 'METADATA_BAD_REQUEST' });
  });
});
