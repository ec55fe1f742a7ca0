/** @module The network of a node: libp2p with the private Kademlia on it, which only members may speak. */
import { Kademlia } from '../../dht/kademlia.ts';
import { KADEMLIA_PROTOCOL, type KademliaService, kademliaService } from '../../dht/kademlia-service.ts';
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { SelfLookup } from '../../dht/self-lookup.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { BackgroundWorker } from '../common/worker.ts';
import type { Identity } from '../network/identity.ts';
import type { Libp2pHostOptions } from '../network/libp2p-settings.ts';
import type { PeerId } from '../network/network.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../network/libp2p-network.ts';
import { createManifestBook, serveManifests } from '../protocol/manifest-exchange.ts';
import { listenable } from './listen-address.ts';
import type { NodeConfig } from './node-config.ts';

const SERVICE = 'kademlia';

export interface NodeNetworkComponents {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface NodeNetworkOptions {
  readonly config: NodeConfig;
  /** Only metadata nodes own shards. */
  readonly isMetadataNode: boolean;
  /** The metadata nodes as far as they are known now. */
  readonly known: {
    /** Those that hold the location index. */
    index(): Membership;
    /** Those whose signatures count. */
    signers(): Membership;
  };
}

export interface NodeNetwork {
  readonly network: Libp2pNetwork;
  readonly kademlia: Kademlia;
  /** Runs while the network does. */
  readonly selfLookup: BackgroundWorker;
}

/** The network is not started; until it is, Kademlia finds nobody. */
export async function createNodeNetwork(
  components: NodeNetworkComponents,
  { config, isMetadataNode, known }: NodeNetworkOptions,
): Promise<NodeNetwork> {
  let manifests: ManifestBook | undefined;
  // libp2p types services by what every host has; the ping service that this one also wants is part of ours.
  const services = {
    // Datanodes keep records, too: they outlive the metadata nodes of the moment, and then know who came after them.
    [SERVICE]: kademliaService({ serverMode: true, manifests: () => manifests }),
  } as unknown as NonNullable<Libp2pHostOptions['services']>;
  const network = await createLibp2pNetwork(components, {
    listen: await listenable(config.listen),
    announce: config.announce,
    mapPorts: config.upnp !== false,
    ...(config.mdns === true && { multicast: config.clusterId }),
    services,
    relayPeers: () => known.index().peers,
    isRelay: isMetadataNode,
    guardedProtocols: [KADEMLIA_PROTOCOL],
  });
  manifests = createManifestBook(
    { network, logger: components.logger },
    { cluster: config.clusterId, known: () => known.signers() },
  );
  serveManifests(network, manifests);
  const service = network.service<KademliaService>(SERVICE);
  const kademlia = new Kademlia(
    { service, manifests, clock: components.clock, logger: components.logger },
    {
      self: config.peer,
      ownsShards: isMetadataNode,
      membership: () => known.index(),
    },
  );
  const isConnected = (peer: PeerId): boolean => network.isConnected(peer);
  const selfLookup = new SelfLookup({ service, isConnected, clock: components.clock }, { self: config.peer });
  return { network, kademlia, selfLookup };
}
