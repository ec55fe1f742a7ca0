/** @module The network of a process that is only a client: it dials, listens nowhere and serves nobody. */
import type { Clock } from '../common/clock.ts';
import { assert } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { FramedNetwork } from '../network/framed-network.ts';
import { readIdentityFile } from '../network/identity-file.ts';
import type { Libp2pHost } from '../network/libp2p-host.ts';
import type { Libp2pHostOptions } from '../network/libp2p-settings.ts';
import type { Network, PeerId } from '../network/network.ts';
import { TicketTransport } from '../network/ticket-transport.ts';
import { makeDirectory } from '../storage/make-directory.ts';
import { profileKeyFile, writingProfile } from './profile.ts';
import { TicketFile } from './ticket-file.ts';

export interface ClientNetworkComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a client's network consists of. */
interface ClientNetworkParts extends ClientNetworkComponents {
  readonly transport: TicketTransport;
  readonly tickets: TicketFile;
  /** Undefined while it is not wanted. */
  readonly host: () => Libp2pHost | undefined;
}

class ClientNetwork extends FramedNetwork {
  readonly #parts: ClientNetworkParts;

  constructor(parts: ClientNetworkParts) {
    super(parts);
    this.#parts = parts;
  }

  neighbours(): readonly PeerId[] {
    return this.#parts.host()?.neighbours() ?? [];
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#parts.tickets.written();
  }
}

const PRIVATE_DIRECTORY_MODE = 0o700;

/**
 * Started; the caller stops it. The key is created when the profile directory has none. Libp2p is loaded when it is wanted: a command that only asks a metadata
 * node from which it has a ticket does without. Options as of the host: without `relayPeers`, the metadata nodes, nobody tells a
 * client behind NAT how it is seen, and its datanodes stay behind relays.
 */
export async function openClientNetwork(
  profileDir: string,
  components: ClientNetworkComponents,
  options: Pick<Libp2pHostOptions, 'multicast' | 'relayPeers'> = {},
): Promise<Network> {
  await writingProfile(profileDir, () => makeDirectory(profileDir, PRIVATE_DIRECTORY_MODE));
  const keyFile = profileKeyFile(profileDir);
  const localPeer =
    (await readIdentityFile(keyFile))?.peer ?? (await writingProfile(profileDir, () => createKey(keyFile)));
  const tickets = await TicketFile.open(components, { profileDir, localPeer });
  let host: Libp2pHost | undefined;
  const openHost = async (): Promise<Libp2pHost> => {
    const [{ loadOrCreateIdentity }, { Libp2pHost: Host }] = await Promise.all([
      import('../network/identity.ts'),
      import('../network/libp2p-host.ts'),
    ]);
    const identity = await loadOrCreateIdentity(keyFile);
    assert(identity.peer === localPeer, 'the key of a client in use stays the same');
    const ticketed: Libp2pHostOptions['ticketed'] = (peer, ticket, address) =>
      tickets.add(peer, { ...ticket, address });
    host = await Host.create({ ...components, identity }, { ...options, listen: [], announce: [], ticketed });
    return host;
  };
  const transport = new TicketTransport({ ...components, tickets, openHost }, { localPeer });
  const network = new ClientNetwork({ ...components, transport, tickets, host: () => host });
  await network.start();
  return network;
}

async function createKey(file: string): Promise<PeerId> {
  const { loadOrCreateIdentity } = await import('../network/identity.ts');
  return (await loadOrCreateIdentity(file)).peer;
}
