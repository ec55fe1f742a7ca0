/** @module The network of a process that is only a client: it dials, listens nowhere and serves nobody. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import type { Network } from '../network/network.ts';
import { profileKeyFile } from './profile.ts';

export interface ClientNetworkComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Started; the caller stops it. The key is created when the profile directory has none. */
export async function openClientNetwork(
  profileDir: string,
  components: ClientNetworkComponents,
): Promise<Network> {
  const identity = await loadOrCreateIdentity(profileKeyFile(profileDir));
  const network = await createLibp2pNetwork({ ...components, identity }, { listen: [], announce: [] });
  await network.start();
  return network;
}
