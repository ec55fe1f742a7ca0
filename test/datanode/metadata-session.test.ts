/** @module How a datanode looks for metadata nodes when those it knows have gone. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signManifest } from '../../dht/manifest.ts';
import { type Membership, membershipEpoch } from '../../dht/membership-ring.ts';
import type { Signatures } from '../../dht/ports.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type KnownMetadataNode, MemberDirectory } from '../../src/datanode/member-directory.ts';
import { HEARTBEAT_PERIOD_MS, MetadataSession } from '../../src/datanode/metadata-session.ts';
import { REFRESH_PERIOD_MS } from '../../src/datanode/metadata-search.ts';
import { Member } from '../../src/namespace/schema.ts';
import { serve } from '../../src/network/method.ts';
import { memoryAddress, MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { isUnprovenSignature, unprovenSignature } from '../../src/network/peer-signature.ts';
import { createManifestBook, serveManifests } from '../../src/protocol/manifest-exchange.ts';
import type { HeartbeatResponse, NodeLoad } from '../../src/protocol/messages.ts';
import { HEARTBEAT, MANIFEST, REGISTER } from '../../src/protocol/methods.ts';

/** Of a condition on a busy machine, in milliseconds. */
const PATIENCE = { timeout: 10_000 };

const IDLE: NodeLoad = {
  capacityBytes: 0,
  usedBytes: 0,
  freeBytes: 0,
  blocks: 0,
  writesInFlight: 0,
  readsInFlight: 0,
  readOnly: false,
  reach: [],
};

/** Moves by whole heartbeat periods. */
class BeatClock implements Clock {
  #nowMs = 0;
  #beat = (): void => {};
  wallMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;
  after = systemClock.after;
  every(_periodMs: number, callback: () => void) {
    this.#beat = callback;
    return { cancel: () => (this.#beat = () => {}) };
  }

  async tick(): Promise<void> {
    this.#nowMs += HEARTBEAT_PERIOD_MS;
    this.#beat();
    await searchesEnd();
  }
}

function signaturesOf(peer: string): Signatures {
  return {
    localPeer: peer,
    sign: (bytes) => unprovenSignature(peer, bytes),
    verify: isUnprovenSignature,
  };
}

async function searchesEnd(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a datanode without a metadata node', () => {
  const home = new MemorySwitch({ clock: systemClock });
  const networks: MemoryNetwork[] = [];
  const found: KnownMetadataNode[] = [];
  /** Metadata nodes whose answers have reached the datanode. */
  const answered: string[] = [];
  let searchedMs: number[];
  let clock: BeatClock;
  let session: MetadataSession;

  async function open(peer: string): Promise<MemoryNetwork> {
    const network = new MemoryNetwork({ switch: home, clock: systemClock, random: systemRandom }, { peer });
    networks.push(network);
    await network.start();
    network.authorize(() => true);
    return network;
  }

  /** Answers heartbeats; returns who has registered. It has a manifest that `signer` signed, and that names both. */
  async function openMetadataNode(peer: string, signer = peer): Promise<Set<string>> {
    const registered = new Set<string>();
    const network = await open(peer);
    const known = (): Membership => ({ epoch: 0, peers: [signer] });
    const book = createManifestBook({ network, logger: silentLogger }, { cluster: 'c', known });
    const nodes = [peer, signer].map((named, number) => ({ number, peer: named, addresses: [] }));
    // Who was there first did not know of the other when it signed its own.
    const epoch = signer === peer ? 7 : 8;
    book.add(signManifest(signaturesOf(signer), { cluster: 'c', epoch, nodes }));
    serveManifests(network, book);
    serve(network, REGISTER, async (_request, context) => {
      registered.add(context.peer);
      return { boot: peer };
    });
    serve(network, HEARTBEAT, async () => ({
      known: true,
      boot: peer,
      membersVersion: 0,
      members: [],
      epoch: 1,
    }));
    return registered;
  }

  async function startDatanode(
    bootstrap: readonly KnownMetadataNode[],
    earlier: readonly KnownMetadataNode[] = [],
    nearby: readonly string[] = [],
  ): Promise<void> {
    const network = await open('datanode');
    const parts = { network, clock, logger: silentLogger };
    const known = (): Membership => ({ epoch: 0, peers: bootstrap.map(({ peer }) => peer) });
    const kademlia = {
      manifests: createManifestBook(parts, { cluster: 'c', known }),
      fetchManifest: async () => {},
      refresh: () => {},
      async *findMetadata() {
        searchedMs.push(clock.monotonicMs());
        yield* found;
      },
    };
    const load = { report: async () => IDLE };
    session = new MetadataSession(
      {
        ...parts,
        kademlia,
        members: new MemberDirectory(parts, bootstrap),
        indexer: { heldRoot: () => undefined, onAnswer: (peer: string) => answered.push(peer) } as never,
        load,
        watch: { silent: () => [] },
      },
      {
        number: 1,
        generation: 1,
        clusterId: 'c',
        epoch: 1,
        host: '',
        earlier,
        nearby: () => nearby,
        onFatal: () => {},
      },
    );
    session.start();
    await searchesEnd();
  }

  beforeEach(() => {
    searchedMs = [];
    found.length = 0;
    answered.length = 0;
    clock = new BeatClock();
  });
  afterEach(async () => {
    await session.stop();
    for (const network of networks.splice(0)) await network.stop();
  });

  it('says at once where it can be reached now, also to one that is being told where it was', async () => {
    const heard: boolean[] = [];
    const metadata = await open('m1');
    const answers = Promise.withResolvers<void>();
    serve(metadata, REGISTER, async ({ load }) => {
      heard.push(load?.reachable === true);
      await answers.promise;
      return { boot: 'm1' };
    });
    const onPeer = vi.spyOn(MemoryNetwork.prototype, 'onPeer');
    const isReachable = vi.spyOn(MemoryNetwork.prototype, 'isReachable', 'get').mockReturnValue(false);
    const addresses = vi.spyOn(MemoryNetwork.prototype, 'addresses').mockReturnValue([]);
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(heard).toEqual([false]), PATIENCE);
    isReachable.mockReturnValue(true);
    addresses.mockReturnValue(['/p2p/m1/p2p-circuit/p2p/datanode']);
    for (const [events] of onPeer.mock.calls) events.addressesChanged?.();
    answers.resolve();
    await vi.waitFor(() => expect(heard).toEqual([false, true]), PATIENCE);
    vi.restoreAllMocks();
  });

  it('registers again with one that answers and knows it no more', async () => {
    const metadata = await open('m1');
    const asked: string[] = [];
    let known = false;
    serve(metadata, REGISTER, async () => {
      asked.push('register');
      known = true;
      return { boot: 'm1' };
    });
    serve(metadata, HEARTBEAT, async () => {
      asked.push(`heartbeat, ${known ? 'known' : 'unknown'}`);
      return { known, boot: 'm1', membersVersion: 0, members: [], epoch: 1 };
    });
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    const first = ['register', 'heartbeat, known'];
    await vi.waitFor(() => expect([asked, answered.length]).toEqual([first, 2]), PATIENCE);
    known = false;
    await clock.tick();
    const again = [...first, 'heartbeat, unknown', 'register'];
    await vi.waitFor(() => expect([asked, answered.length]).toEqual([again, 4]), PATIENCE);
    await clock.tick();
    await vi.waitFor(() => expect(asked).toEqual([...again, 'heartbeat, known']), PATIENCE);
  });

  it('searches for ever, after pauses that double up to half a minute', async () => {
    await startDatanode([]);
    while (clock.monotonicMs() < 150_000) await clock.tick();
    expect(searchedMs).toEqual([0, 3_000, 9_000, 21_000, 45_000, 75_000, 105_000, 135_000]);
  });

  it('asks nobody else where metadata nodes are while all that it knows answer', async () => {
    await openMetadataNode('m1');
    await startDatanode([{ peer: 'm1', addresses: [] }], [{ peer: 'd2', addresses: [] }]);
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    while (clock.monotonicMs() < 2 * REFRESH_PERIOD_MS) await clock.tick();
    expect(searchedMs).toEqual([]);
  });

  it('searches now and then, once one that it knows has not answered for a while', async () => {
    await openMetadataNode('m1');
    await startDatanode(['m1', 'm9'].map((peer) => ({ peer, addresses: [] })));
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    while (clock.monotonicMs() < 2 * REFRESH_PERIOD_MS + HEARTBEAT_PERIOD_MS) await clock.tick();
    expect(searchedMs).toEqual([REFRESH_PERIOD_MS, 2 * REFRESH_PERIOD_MS]);
  });

  it('asks again for the manifest of one that had not signed it yet, and no more once it has it', async () => {
    const network = await open('m1');
    const known = (): Membership => ({ epoch: 0, peers: ['m1'] });
    const book = createManifestBook({ network, logger: silentLogger }, { cluster: 'c', known });
    let asks = 0;
    serve(network, MANIFEST, async () => {
      asks += 1;
      return book.chain();
    });
    serve(network, REGISTER, async () => ({ boot: 'm1' }));
    let list: Pick<HeartbeatResponse, 'membersVersion' | 'members' | 'epoch'> = {
      membersVersion: 0,
      members: [],
      epoch: 1,
    };
    serve(network, HEARTBEAT, async () => ({ known: true, boot: 'm1', ...list }));
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(asks).toBe(1), PATIENCE);
    const nodes = [{ number: 1, peer: 'm1', addresses: [] }];
    book.add(signManifest(signaturesOf('m1'), { cluster: 'c', epoch: 7, nodes }));
    await asksAgain();
    await asksNoMore();

    // The cluster was recovered, from the same node: who was left behind is to be shown what it signed since.
    const member = Member.fromPartial({ ...nodes[0], roles: ['meta'], state: 'active' });
    list = { membersVersion: 9, members: [member], epoch: 2 };
    await asksAgain();
    book.add(signManifest(signaturesOf('m1'), { cluster: 'c', epoch: membershipEpoch(2, 9), nodes }));
    await asksAgain();
    await asksNoMore();

    async function asksAgain(): Promise<void> {
      const before = asks;
      await vi.waitFor(async () => {
        await clock.tick();
        expect(asks).toBeGreaterThan(before);
      }, PATIENCE);
    }

    async function asksNoMore(): Promise<void> {
      const before = asks;
      for (let ticks = 0; ticks < 5; ticks += 1) {
        await clock.tick();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(asks).toBe(before);
    }
  });

  it('finds a newcomer as soon as the last one it knew is gone, before the next heartbeat', async () => {
    await openMetadataNode('m1');
    const newcomer = await openMetadataNode('m2', 'm1');
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    found.push({ peer: 'm2', addresses: [] });
    home.kill('m1');
    await vi.waitFor(() => expect(newcomer).toContain('datanode'), PATIENCE);
    expect(clock.monotonicMs()).toBe(0);
  });

  it('does not register with one that says of itself that it is a metadata node', async () => {
    await openMetadataNode('m1');
    const impostor = await openMetadataNode('m2');
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    found.push({ peer: 'm2', addresses: [] });
    home.kill('m1');
    const searches = searchedMs.length;
    while (searchedMs.length < searches + 3) await clock.tick();
    expect(impostor).not.toContain('datanode');
  });

  it('is told by a datanode of before where the metadata nodes are now', async () => {
    const newcomer = await openMetadataNode('m2', 'm1');
    const neighbour = await open('d2');
    const known = (): Membership => ({ epoch: 0, peers: ['m1'] });
    const book = createManifestBook({ network: neighbour, logger: silentLogger }, { cluster: 'c', known });
    const nodes = ['m1', 'm2'].map((peer, number) => ({ number, peer, addresses: [] }));
    book.add(signManifest(signaturesOf('m1'), { cluster: 'c', epoch: 7, nodes }));
    serveManifests(neighbour, book);
    await startDatanode([{ peer: 'm1', addresses: [] }], [{ peer: 'd2', addresses: [] }]);
    await vi.waitFor(() => expect(newcomer).toContain('datanode'), PATIENCE);
  });

  it('asks every node that belongs to the cluster, and no client, which listens nowhere', async () => {
    const asked = new Set<string>();
    const request = vi.spyOn(MemoryNetwork.prototype, 'request');
    const members = ['m1', 'd2', 'c3'].map((peer, number) =>
      Member.fromPartial({
        number,
        peer,
        state: 'active',
        roles: [{ m: 'meta', d: 'data', c: 'client' }[peer[0] ?? ''] ?? ''],
      }),
    );
    const metadata = await open('m1');
    const answer = { known: true, boot: 'm1', membersVersion: 1, members, epoch: 1 };
    serve(metadata, REGISTER, async () => ({ boot: 'm1' }));
    serve(metadata, HEARTBEAT, async () => answer);
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    home.kill('m1');
    await vi.waitFor(() => {
      for (const [peer, , method] of request.mock.calls) if (method === MANIFEST.name) asked.add(peer);
      expect(asked).toContain('d2');
    }, PATIENCE);
    await searchesEnd();
    expect(asked).not.toContain('c3');
    vi.restoreAllMocks();
  });

  it('registers with one heard of in the local network when a metadata node it knows vouches for it, and else does not', async () => {
    const newcomer = await openMetadataNode('m2', 'm1');
    const impostor = await openMetadataNode('m3');
    await startDatanode([{ peer: 'm1', addresses: [] }], [], ['m3', 'm2', 'nobody']);
    await vi.waitFor(() => expect(newcomer).toContain('datanode'), PATIENCE);
    expect(impostor).not.toContain('datanode');
  });

  it('asks strangers that called on it while none that it knows answers, and believes whom one of those vouches for', async () => {
    await openMetadataNode('m1');
    const newcomer = await openMetadataNode('m2', 'm1');
    const impostor = await openMetadataNode('m3');
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(answered).toContain('m1'), PATIENCE);
    for (const stranger of networks.filter(({ localPeer }) => ['m2', 'm3'].includes(localPeer)))
      await stranger.dial(memoryAddress('datanode'));
    await clock.tick();
    expect(newcomer).not.toContain('datanode');
    home.kill('m1');
    await vi.waitFor(() => expect(newcomer).toContain('datanode'), PATIENCE);
    expect(impostor).not.toContain('datanode');
  });

  it('asks a stranger that calls while nobody answers at once, also between two searches', async () => {
    const newcomer = await openMetadataNode('m2', 'm1');
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(searchedMs).toEqual([0]), PATIENCE);
    const caller = networks.find(({ localPeer }) => localPeer === 'm2');
    await caller?.dial(memoryAddress('datanode'));
    await vi.waitFor(() => expect(newcomer).toContain('datanode'), PATIENCE);
    expect(searchedMs).toEqual([0]);
  });

  it('asks again, when the listed ones are gone, those it started with', async () => {
    const first = await openMetadataNode('m1');
    const parts = { network: await open('elsewhere'), clock, logger: silentLogger };
    const members = new MemberDirectory(parts, [{ peer: 'm1', addresses: [] }]);
    const listed = { number: 2, peer: 'm2', roles: ['meta'], state: 'active', addresses: [] };
    members.update([listed as never], { version: 1, epoch: 1 });
    expect(members.metadataNodes().map(({ peer }) => peer)).toEqual(['m2']);
    expect(members.candidates().map(({ peer }) => peer)).toEqual(['m2', 'm1']);
    await startDatanode([{ peer: 'm1', addresses: [] }]);
    await vi.waitFor(() => expect(first).toContain('datanode'), PATIENCE);
  });
});
