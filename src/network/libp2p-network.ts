/** @module The real network: framed streams over libp2p (TCP, Noise, yamux). */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { FramedNetwork } from './framed-network.ts';
import type { Identity } from './identity.ts';
import { Libp2pHost } from './libp2p-host.ts';
import type { Libp2pHostOptions } from './libp2p-settings.ts';
import type { PeerId } from './network.ts';

export interface Libp2pNetworkComponents {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class Libp2pNetwork extends FramedNetwork {
  readonly #host: Libp2pHost;

  constructor(components: Omit<Libp2pNetworkComponents, 'identity'> & { host: Libp2pHost }) {
    const { host, ...others } = components;
    super({ ...others, transport: host });
    this.#host = host;
  }

  /** Peers heard of in the local network: anybody may say anything there. Empty without options.multicast. */
  neighbours(): readonly PeerId[] {
    return this.#host.neighbours();
  }

  /** The libp2p service given as options.services[name]; an assertion fails when there is none. */
  service<Service>(name: string): Service {
    return this.#host.service<Service>(name);
  }
}

/** A network that does not run yet. start() throws NETWORK_PORT_IN_USE or NETWORK_CANNOT_LISTEN; this, NETWORK_BAD_ADDRESS. */
export async function createLibp2pNetwork(
  components: Libp2pNetworkComponents,
  options: Libp2pHostOptions,
): Promise<Libp2pNetwork> {
  const { identity, clock, random, logger } = components;
  const host = await Libp2pHost.create({ identity, logger }, options);
  return new Libp2pNetwork({ host, clock, random, logger });
}
