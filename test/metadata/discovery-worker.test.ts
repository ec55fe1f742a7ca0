/** @module How a metadata node makes itself and the others findable. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { membershipEpoch } from '../../dht/membership-ring.ts';
import { signManifest } from '../../dht/manifest.ts';
import type { ManifestBook } from '../../dht/manifest-book.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import {
  CHANGED_RENEWAL_MS,
  DiscoveryWorker,
  type DiscoveryWorkerComponents,
  MANIFEST_RENEWAL_MS,
  SETTLING_MS,
} from '../../src/metadata/discovery-worker.ts';
import { ManifestSigner, type ManifestSignerComponents } from '../../src/metadata/manifest-signer.ts';
import { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { createManifestBook, serveManifests } from '../../src/protocol/manifest-exchange.ts';

/** Both, one after the other. */
type Workers = Pick<DiscoveryWorker, 'work'>;

const NEVER = new AbortController().signal;

describe('a metadata node', () => {
  let home: MemorySwitch;
  let networks: MemoryNetwork[];
  let members: Member[];
  let version: number;
  let clusterEpoch: number;
  let nowMs: number;
  let published: number;
  let provided: number;
  /** By how many peers what is published is kept. */
  let keeping: { record: number; manifest: number };
  let leader: number;

  beforeEach(() => {
    home = new MemorySwitch({ clock: systemClock });
    networks = [];
    members = [];
    version = 3;
    clusterEpoch = 1;
    nowMs = 0;
    published = 0;
    provided = 0;
    keeping = { record: 1, manifest: 1 };
    leader = 1;
  });
  afterEach(() => Promise.all(networks.map((network) => network.stop())));

  function member(number: number, role: string): void {
    const peer = `p${number}`;
    const addresses = [memoryAddress(peer)];
    members.push(Member.fromPartial({ number, peer, addresses, roles: [role], state: 'active' }));
  }

  async function open(number: number): Promise<{ network: MemoryNetwork; book: ManifestBook }> {
    const peer = `p${number}`;
    const network = new MemoryNetwork({ switch: home, clock: systemClock, random: systemRandom }, { peer });
    networks.push(network);
    network.authorize(() => true);
    const known = () => ({ epoch: 0, peers: members.map((each) => each.peer) });
    const book = createManifestBook({ network, logger: silentLogger }, { cluster: 'c', known });
    serveManifests(network, book);
    await network.start();
    return { network, book };
  }

  function workerOf({ network, book }: { network: MemoryNetwork; book: ManifestBook }): Workers {
    const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
    const kademlia = {
      manifests: book,
      refresh: () => {},
      provide: async () => {
        provided += 1;
        return keeping.record;
      },
      publishManifest: async () => {
        published += 1;
        return keeping.manifest;
      },
    };
    const machine = {
      cluster: () => ({ id: 'c', epoch: clusterEpoch }),
      counters: () => ({ membersVersion: version }),
      memberByNumber: (number: number) => members.find((each) => each.number === number),
    };
    const components = {
      network,
      kademlia,
      machine,
      members: { withRole: (role: string) => members.filter(({ roles }) => roles.includes(role)) },
      driver: {
        get leader() {
          return leader;
        },
      },
      clock,
      logger: silentLogger,
    };
    const signer = new ManifestSigner(components as unknown as ManifestSignerComponents);
    const worker = new DiscoveryWorker({
      ...components,
      signer,
    } as unknown as DiscoveryWorkerComponents);
    return {
      work: async (signal) => {
        await signer.work(signal);
        return worker.work(signal);
      },
    };
  }

  /** One that has run for long enough to look for others. */
  async function settledWorkerOf(node: { network: MemoryNetwork; book: ManifestBook }): Promise<Workers> {
    const worker = workerOf(node);
    await worker.work(NEVER);
    nowMs += SETTLING_MS;
    return worker;
  }

  /** Peers that `network` asks anything from now on. */
  function asksOf(network: MemoryNetwork): Set<string> {
    const asked = new Set<string>();
    const request = network.request.bind(network);
    network.request = (peer, ...words) => {
      asked.add(peer);
      return request(peer, ...words);
    };
    return asked;
  }

  it('signs where the metadata nodes are, and anew only when one has moved or the cluster was recovered', async () => {
    for (const number of [1, 2]) member(number, 'meta');
    const self = await open(1);
    const worker = workerOf(self);
    await worker.work(NEVER);
    expect(self.book.current).toMatchObject({ epoch: membershipEpoch(1, 3) });
    expect(self.book.current?.nodes.map(({ peer }) => peer)).toEqual(['p1', 'p2']);
    version = 4;
    await worker.work(NEVER);
    expect(self.book.current?.epoch).toBe(membershipEpoch(1, 3));
    members[1] = { ...(members[1] as Member), addresses: ['/elsewhere'] };
    version = 5;
    await worker.work(NEVER);
    expect(self.book.current?.nodes[1]).toMatchObject({ peer: 'p2', addresses: ['/elsewhere'] });
    clusterEpoch = 2;
    await worker.work(NEVER);
    expect(self.book.current?.epoch).toBe(membershipEpoch(2, 5));
  });

  it('asks who signs nothing ever more rarely, and at once when the members change', async () => {
    for (const number of [1, 2]) member(number, 'meta');
    const self = await open(1);
    await open(2);
    await self.network.request('p2', 'control', 'nothing', new Uint8Array(0)).catch(() => {});
    const worker = workerOf(self);
    let asked = 0;
    const request = self.network.request.bind(self.network);
    self.network.request = (...words) => {
      asked += 1;
      return request(...words);
    };
    for (const until = nowMs + 5_000; nowMs < until; nowMs += 100) await worker.work(NEVER);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(10);
    const before = asked;
    version += 1;
    await worker.work(NEVER);
    expect(asked).toBe(before + 1);
  });

  it('signs nothing when it is no metadata node by its own registry', async () => {
    member(2, 'meta');
    const self = await open(1);
    await workerOf(self).work(NEVER);
    expect(self.book.current).toBeUndefined();
  });

  it('publishes when something changed, and again for those who came since', async () => {
    member(1, 'meta');
    const worker = workerOf(await open(1));
    await worker.work(NEVER);
    await worker.work(NEVER);
    expect(published).toBe(1);
    nowMs = CHANGED_RENEWAL_MS + 1;
    await worker.work(NEVER);
    expect(published).toBe(1);
    nowMs = MANIFEST_RENEWAL_MS + 1;
    await worker.work(NEVER);
    expect(published).toBe(2);
  });

  it('publishes nothing while it has just started and nobody leads, but signs', async () => {
    member(1, 'meta');
    const self = await open(1);
    const worker = workerOf(self);
    leader = 0;
    await worker.work(NEVER);
    expect([provided, published, self.book.current?.nodes.length]).toEqual([0, 0, 1]);
    nowMs += SETTLING_MS;
    await worker.work(NEVER);
    expect([provided, published]).toEqual([1, 1]);
  });

  it('publishes again and again what nobody keeps yet', async () => {
    member(1, 'meta');
    const worker = workerOf(await open(1));
    const works = async (): Promise<number[]> => {
      for (let times = 0; times < 3; times += 1) await worker.work(NEVER);
      return [provided, published];
    };
    keeping = { record: 1, manifest: 0 };
    expect(await works()).toEqual([3, 3]);
    keeping = { record: 0, manifest: 1 };
    expect(await works()).toEqual([6, 4]);
    keeping = { record: 1, manifest: 1 };
    expect(await works()).toEqual([7, 4]);
  });

  it('publishes at once when a metadata node comes, and what datanodes change once a minute', async () => {
    member(1, 'meta');
    const worker = workerOf(await open(1));
    await worker.work(NEVER);
    for (version = 4; version < 14; version += 1) {
      member(version, 'data');
      await worker.work(NEVER);
    }
    expect([provided, published]).toEqual([1, 1]);
    nowMs = CHANGED_RENEWAL_MS + 1;
    await worker.work(NEVER);
    await worker.work(NEVER);
    expect([provided, published]).toEqual([2, 2]);
    member(20, 'meta');
    version += 1;
    await worker.work(NEVER);
    expect([provided, published]).toEqual([3, 3]);
  });

  it('gathers what the others have signed, for members that know only one of them', async () => {
    for (const number of [1, 2]) member(number, 'meta');
    const [self, other] = [await open(1), await open(2)];
    await workerOf(other).work(NEVER);
    await workerOf(self).work(NEVER);
    expect(self.book.signedBy('p2')).toBeUndefined();
    await self.network.dial(memoryAddress('p2'));
    await workerOf(self).work(NEVER);
    expect(self.book.signedBy('p2')?.nodes.map(({ peer }) => peer)).toEqual(['p1', 'p2']);
  });

  it('asks for a later signature of one that has signed for others only, and publishes what it got', async () => {
    member(2, 'meta');
    const [self, other] = [await open(1), await open(2)];
    await workerOf(other).work(NEVER);
    member(1, 'meta');
    const worker = workerOf(self);
    await self.network.dial(memoryAddress('p2'));
    await worker.work(NEVER);
    expect(self.book.signedBy('p2')?.nodes.map(({ peer }) => peer)).toEqual(['p2']);
    const before = published;
    version = 4;
    await workerOf(other).work(NEVER);
    const byOther = published;
    await worker.work(NEVER);
    expect(self.book.signedBy('p2')?.nodes.map(({ peer }) => peer)).toEqual(['p2', 'p1']);
    expect(published).toBe(byOther + 1);
    expect(byOther).toBeGreaterThan(before);
  });

  it('calls on datanodes that it does not hear, which cannot know where it has moved', async () => {
    member(1, 'meta');
    member(5, 'data');
    const self = await open(1);
    await open(5);
    const worker = await settledWorkerOf(self);
    expect(self.network.isConnected('p5')).toBe(false);
    await worker.work(NEVER);
    expect(self.network.isConnected('p5')).toBe(true);
    home.cut('p1', 'p5');
    home.heal('p1', 'p5');
    await worker.work(NEVER);
    expect(self.network.isConnected('p5')).toBe(false);
    nowMs += 10_000;
    await worker.work(NEVER);
    expect(self.network.isConnected('p5')).toBe(true);
  });

  it('calls on all of those in turn, a few at a time', async () => {
    member(1, 'meta');
    for (let number = 5; number < 25; number += 1) member(number, 'data');
    const self = await open(1);
    const called = asksOf(self.network);
    const worker = await settledWorkerOf(self);
    expect(called.size).toBe(0);
    await worker.work(NEVER);
    expect(called.size).toBe(16);
    await worker.work(NEVER);
    expect(called.size).toBe(16);
    nowMs += 10_000;
    await worker.work(NEVER);
    expect(called.size).toBe(20);
  });

  it('asks no datanode where the others are while one of them leads, or is connected', async () => {
    for (const number of [1, 2]) member(number, 'meta');
    member(5, 'data');
    const self = await open(1);
    await open(5);
    await self.network.dial(memoryAddress('p5'));
    const asked = asksOf(self.network);
    await (await settledWorkerOf(self)).work(NEVER);
    leader = 0;
    await open(2);
    await self.network.dial(memoryAddress('p2'));
    await (await settledWorkerOf(self)).work(NEVER);
    expect(asked).not.toContain('p5');
    home.cut('p1', 'p2');
    const alone = await settledWorkerOf(self);
    expect(asked).not.toContain('p5');
    await alone.work(NEVER);
    expect(asked).toContain('p5');
  });

  it('asks datanodes where the others are while it is alone', async () => {
    for (const number of [1, 2]) member(number, 'meta');
    member(5, 'data');
    leader = 0;
    const [self, door] = [await open(1), await open(5)];
    const moved = { number: 2, peer: 'p2', addresses: ['/elsewhere'] };
    const signer = await open(2);
    const named = { cluster: 'c', epoch: membershipEpoch(1, 9), nodes: [moved] };
    door.book.add(signManifest(signer.network, named));
    await signer.network.stop();
    await (await settledWorkerOf(self)).work(NEVER);
    expect(self.book.current?.epoch).toBe(membershipEpoch(1, 9));
  });
});
