/** @module The network of a process that is only a client: it dials, listens nowhere and serves nobody. */
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../network/libp2p-network.ts';
import type { Libp2pHostOptions } from '../network/libp2p-settings.ts';
import { profileKeyFile } from './profile.ts';

export interface ClientNetworkComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const PRIVATE_DIRECTORY_MODE = 0o700;

/**
 * Started; the caller stops it. The key is created when the profile directory has none. Options as of the host: without `relayPeers`,
 * the metadata nodes, nobody tells a client behind NAT how it is seen, and its datanodes stay behind relays.
 */
export async function openClientNetwork(
  profileDir: string,
  components: ClientNetworkComponents,
  options: Pick<Libp2pHostOptions, 'multicast' | 'relayPeers'> = {},
): Promise<Libp2pNetwork> {
  await mkdir(profileDir, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  const identity = await loadOrCreateIdentity(profileKeyFile(profileDir));
  const network = await createLibp2pNetwork(
    { ...components, identity },
    { ...options, listen: [], announce: [] },
  );
  await network.start();
  return network;
}
