/** @module Real libp2p hosts in one process: the ring is true XOR, and one bootstrap address leads to all metadata nodes. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import type { KadDHT } from '@libp2p/kad-dht';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FoundMetadata, Kademlia } from '../../dht/kademlia.ts';
import { kademliaService } from '../../dht/kademlia-service.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { ManifestBook } from '../../dht/manifest-book.ts';
import { signManifest } from '../../dht/manifest.ts';
import type { PeerId, Signatures } from '../../dht/ports.ts';
import { SelfLookup } from '../../dht/self-lookup.ts';
import { compareDistance, peerKadId, SHARD_COUNT, shardKadId } from '../../dht/shard.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { WorkerRunner } from '../../src/common/worker-runner.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { isSignedBy, signAs } from '../../src/network/peer-signature.ts';

const CLUSTER = 'test-cluster';
const METADATA_NODES = 4;
const SELF_LOOKUP_MS = 1_000;
/** A machine that is busy takes most of it. */
const PATIENCE = { timeout: 20_000, interval: 50 };

interface Host {
  readonly peer: PeerId;
  readonly kademlia: Kademlia;
  readonly signatures: Signatures;
  /** Peer ids in kad-dht's routing table, in its order of closeness to the shard. */
  met(shard: number): PeerId[];
  dial(other: Host): Promise<void>;
  readonly addresses: () => string[];
  stop(): Promise<void>;
}

interface Table {
  closestPeers(kadId: Uint8Array, options: { count: number }): object[];
}

const hosts: Host[] = [];
/** What every node was told. */
let membership: Membership = { epoch: 0, peers: [] };

interface HostOptions {
  readonly serverMode: boolean;
  readonly ownsShards?: boolean;
}

async function startHost(options: HostOptions): Promise<Host> {
  const identity = await createIdentity();
  const signatures: Signatures = {
    localPeer: identity.peer,
    sign: (bytes) => signAs(identity.privateKey, bytes),
    verify: isSignedBy,
  };
  const manifests = new ManifestBook(
    { signatures, logger: silentLogger },
    { cluster: CLUSTER, known: () => membership },
  );
  const libp2p = await createLibp2p({
    privateKey: identity.privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kademliaService({
        serverMode: options.serverMode,
        manifests: () => manifests,
      }),
    },
  });
  const service: KadDHT = libp2p.services.dht;
  const peer = libp2p.peerId.toString();
  const kademlia = new Kademlia(
    { service, manifests, clock: systemClock, logger: silentLogger },
    {
      self: peer,
      ownsShards: options.ownsShards ?? options.serverMode,
      membership: () => membership,
    },
  );
  const isConnected = (other: PeerId): boolean => libp2p.getPeers().map(String).includes(other);
  const lookup = new SelfLookup({ service, isConnected, clock: systemClock }, { self: peer });
  const impatient = {
    name: 'self-lookup',
    idleMs: SELF_LOOKUP_MS,
    work: (signal: AbortSignal) => lookup.work(signal),
  };
  const runner = new WorkerRunner({ clock: systemClock, logger: silentLogger }, [impatient]);
  runner.start();
  const table = (service as unknown as { routingTable: Table }).routingTable;
  const host: Host = {
    peer,
    kademlia,
    signatures,
    met: (shard) => table.closestPeers(shardKadId(shard), { count: 20 }).map(String),
    dial: async (other) => {
      await libp2p.dial(other.addresses().map((address) => multiaddr(address)));
    },
    addresses: () => libp2p.getMultiaddrs().map(String),
    stop: async () => {
      await runner.stop();
      await libp2p.stop();
    },
  };
  hosts.push(host);
  return host;
}

let metadata: Host[];
let bootstrap: Host;

beforeEach(async () => {
  membership = { epoch: 0, peers: [] };
  metadata = await Promise.all(Array.from({ length: METADATA_NODES }, () => startHost({ serverMode: true })));
  const [first, ...others] = metadata;
  if (first === undefined) throw new Error('no host');
  bootstrap = first;
  membership = { epoch: 1, peers: metadata.map((host) => host.peer) };
  for (const { kademlia } of metadata) kademlia.refresh();
  for (const other of others) await other.dial(bootstrap);
});

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

function trueOrder(shard: number): PeerId[] {
  const target = shardKadId(shard);
  return metadata
    .map((host) => host.peer)
    .toSorted((a, b) => compareDistance(target, peerKadId(a), peerKadId(b)));
}

async function meshed(observers: readonly Host[]): Promise<void> {
  for (const host of observers)
    await vi.waitFor(
      () => expect(othersThan(host).every((peer) => host.met(0).includes(peer))).toBe(true),
      PATIENCE,
    );
}

function othersThan(host: Host): PeerId[] {
  return metadata.map(({ peer }) => peer).filter((peer) => peer !== host.peer);
}

describe('Kademlia', () => {
  it('orders the members for every shard as XOR does, and as the routing table of kad-dht does', async () => {
    const datanode = await startHost({ serverMode: false });
    await datanode.dial(bootstrap);
    await meshed([...metadata, datanode]);
    for (let shard = 0; shard < SHARD_COUNT; shard += 61) {
      for (const { kademlia } of [...metadata, datanode])
        expect(kademlia.closest(shard, 3)).toEqual(trueOrder(shard).slice(0, 3));
      expect(datanode.met(shard)).toEqual(trueOrder(shard));
    }
    expect(datanode.kademlia.self).toBeUndefined();
  });

  it('finds every metadata node of the cluster, with addresses, from one bootstrap address', async () => {
    await meshed(metadata);
    for (const host of metadata) expect(await host.kademlia.provide(CLUSTER)).toBeGreaterThan(0);
    const datanode = await startHost({ serverMode: false });
    await datanode.dial(bootstrap);
    const found = new Map<PeerId, FoundMetadata>();
    await vi.waitFor(async () => {
      for await (const each of datanode.kademlia.findMetadata(CLUSTER)) found.set(each.peer, each);
      expect([...found.keys()].toSorted()).toEqual(metadata.map((host) => host.peer).toSorted());
    }, PATIENCE);
    for (const each of found.values()) expect(each.addresses.join()).toContain('/ip4/127.0.0.1/tcp/');
    for await (const each of datanode.kademlia.findMetadata('another cluster')) expect(each).toBeUndefined();
  });

  it('lets a datanode that keeps records find who came right before the only metadata node it knew went away', async () => {
    const [newcomer, ...rest] = metadata.filter((host) => host !== bootstrap) as [Host, ...Host[]];
    for (const host of rest) await host.stop();
    const datanode = await startHost({ serverMode: true, ownsShards: false });
    await datanode.dial(bootstrap);
    await vi.waitFor(() => expect(bootstrap.met(0)).toContain(datanode.peer), PATIENCE);
    // As its background worker does, until it has met those who shall keep the record.
    const isKept = async (): Promise<void> =>
      expect(await newcomer.kademlia.provide(CLUSTER)).toBeGreaterThan(1);
    await vi.waitFor(isKept, PATIENCE);
    await bootstrap.stop();
    const found: PeerId[] = [];
    for await (const { peer } of datanode.kademlia.findMetadata(CLUSTER)) found.push(peer);
    expect(found).toContain(newcomer.peer);
    expect(datanode.kademlia.self).toBeUndefined();
  });

  it('keeps the newest manifest of the cluster, whatever is published after it', async () => {
    await meshed(metadata);
    const [, first, second] = metadata as [Host, Host, Host];
    const sign = ({ kademlia, signatures }: Host, epoch: number, addresses: string[]): void => {
      const nodes = metadata.map(({ peer }, number) => ({ number, peer, addresses }));
      kademlia.manifests.add(signManifest(signatures, { cluster: CLUSTER, epoch, nodes }));
    };
    sign(first, 7, ['/new']);
    expect(await first.kademlia.publishManifest(CLUSTER)).toBeGreaterThan(0);
    // Replayed by somebody who is a metadata node even now.
    sign(second, 6, ['/old']);
    await second.kademlia.publishManifest(CLUSTER);
    const datanode = await startHost({ serverMode: true, ownsShards: false });
    await datanode.dial(bootstrap);
    await vi.waitFor(async () => {
      await datanode.kademlia.fetchManifest(CLUSTER);
      expect(datanode.kademlia.manifests.current?.epoch).toBe(7);
    }, PATIENCE);
    expect(datanode.kademlia.manifests.current?.nodes[0]?.addresses).toEqual(['/new']);
    expect(bootstrap.kademlia.manifests.current?.epoch).toBe(7);
  });

  it('takes who died out of ring and routing table as soon as it is no member any more', async () => {
    await meshed([bootstrap]);
    const [, departed] = metadata as [Host, Host];
    await departed.stop();
    membership = { epoch: 2, peers: membership.peers.filter((peer) => peer !== departed.peer) };
    bootstrap.kademlia.refresh();
    expect(bootstrap.kademlia.all()).not.toContain(departed.peer);
    await vi.waitFor(() => expect(bootstrap.met(0)).not.toContain(departed.peer), PATIENCE);
  });
});
