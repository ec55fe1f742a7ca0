/** @module Whom a client believes that looks for the metadata nodes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signManifest } from '../../dht/manifest.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { type Discovered, MetadataSearch } from '../../src/client/metadata-search.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { isUnprovenSignature, unprovenSignature } from '../../src/network/peer-signature.ts';
import { createManifestBook, serveManifests } from '../../src/protocol/manifest-exchange.ts';

const COLLABORATORS = { clock: systemClock, random: systemRandom, logger: silentLogger };

describe('a client that searches', () => {
  let home: MemorySwitch;
  let networks: MemoryNetwork[];

  beforeEach(() => {
    home = new MemorySwitch(COLLABORATORS);
    networks = [];
  });
  afterEach(() => Promise.all(networks.map((network) => network.stop())));

  async function open(peer: string): Promise<MemoryNetwork> {
    const network = new MemoryNetwork({ switch: home, ...COLLABORATORS }, { peer });
    networks.push(network);
    network.authorize(() => true);
    await network.start();
    return network;
  }

  /** A node that tells of a manifest by `signer`, which names `moved` and itself. */
  async function openDoor(peer: string, signer: string, epoch: number): Promise<void> {
    const network = await open(peer);
    const book = createManifestBook(
      { network, logger: silentLogger },
      { cluster: 'c', known: () => ({ epoch: 0, peers: [signer] }) },
    );
    const nodes = ['moved', signer].map((named, number) => ({ number, peer: named, addresses: ['/new'] }));
    const signatures = {
      localPeer: signer,
      sign: (bytes: Uint8Array) => unprovenSignature(signer, bytes),
      verify: isUnprovenSignature,
    };
    book.add(signManifest(signatures, { cluster: 'c', epoch, nodes }));
    serveManifests(network, book);
  }

  async function search(
    doors: readonly string[],
    known: Membership,
    nearby: readonly string[] = [],
  ): Promise<Discovered | undefined> {
    const network = await open(`client-${networks.length}`);
    const options = {
      clusterId: 'c',
      known: () => known,
      doors: () => doors.map((peer) => ({ peer, addresses: [memoryAddress(peer)] })),
      nearby: () => nearby,
    };
    const components = { ...COLLABORATORS, network };
    return new MetadataSearch(components, options).search(AbortSignal.timeout(5_000));
  }

  const known = { epoch: 5, peers: ['known'] };

  it('believes a node, whoever it is, what a metadata node has signed that it knows', async () => {
    await openDoor('door', 'known', 6);
    const found = await search(['gone', 'door'], known);
    expect(found).toMatchObject({
      epoch: 6,
      peers: [{ peer: 'moved', addresses: ['/new'] }, { peer: 'known' }],
    });
  });

  it('believes nothing that a stranger has signed, and nothing that is older than what it knows', async () => {
    await openDoor('forger', 'stranger', 9);
    await openDoor('replayer', 'known', 4);
    expect(await search(['forger', 'replayer'], known)).toBeUndefined();
  });

  it('asks whoever is heard of in the local network, and believes it no more than others', async () => {
    await openDoor('forger', 'stranger', 9);
    await openDoor('neighbour', 'known', 6);
    expect(await search(['gone'], known, ['forger'])).toBeUndefined();
    expect(await search(['gone'], known, ['forger', 'neighbour'])).toMatchObject({ epoch: 6 });
  });

  it('goes on past those that have not heard of anything new', async () => {
    const behind = Array.from({ length: 12 }, (_, index) => `behind-${index}`);
    await Promise.all(behind.map((peer) => openDoor(peer, 'known', 5)));
    await openDoor('door', 'known', 6);
    expect(await search([...behind, 'door'], known)).toMatchObject({ epoch: 6 });
  });
});
