/** @module The SDK's door: from a profile to a client. */
import { availableParallelism, hostname } from 'node:os';
import { type Clock, systemClock } from '../common/clock.ts';
import { type Logger, silentLogger } from '../common/logger.ts';
import { MessageHasher } from '../common/message-hasher.ts';
import { type Random, systemRandom } from '../common/random.ts';
import { Sha256Thread } from '../common/sha256-thread.ts';
import type { Network } from '../network/network.ts';
import type { CacheSettings } from './cache/client-cache.ts';
import { Client } from './client.ts';
import { openClientNetwork } from './client-network.ts';
import { LocalBlocks } from './local-blocks.ts';
import { localUser, type Owner } from './local-user.ts';
import { defaultProfileDir, type KnownPeer, loadProfile, type Profile, saveProfile } from './profile.ts';

export interface ConnectOptions {
  /** Where `enrol` left the profile; defaultProfileDir() when absent. */
  readonly profileDir?: string;
  /** Used instead of the one in `profileDir`; learned metadata nodes are then not remembered. */
  readonly profile?: Profile;
  /** A started network whose identity is a member; stays the caller's to stop. */
  readonly network?: Network;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** This machine, to prefer copies on it; the host name when absent. */
  readonly host?: string;
  /** Keep what is read on this machine's disk; not done when absent. */
  readonly cache?: CacheSettings;
  /** Data directory of a node on this machine: its blocks are read from their files, where that is allowed. */
  readonly nodeDir?: string;
  /** How often a client at work asks which metadata nodes there are, in milliseconds; 10 s when absent. */
  readonly refreshPeriodMs?: number;
  /** Owner of what the client makes; whoever runs this process when absent. */
  readonly owner?: Owner;
}

/**
 * Returns at once; metadata nodes are dialled by the first operation.
 * Errors: CLIENT_NO_PROFILE, CLIENT_BAD_PROFILE, CLIENT_PROFILE_NOT_WRITABLE, CLIENT_INVALID_ARGUMENT.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const profileDir = options.profileDir ?? defaultProfileDir();
  const profile = options.profile ?? (await loadProfile(profileDir));
  const collaborators = {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
  };
  let metadataNodes = (): readonly KnownPeer[] => profile.peers;
  const network =
    options.network ??
    (await openClientNetwork(profileDir, collaborators, {
      ...(profile.mdns === true && { multicast: profile.clusterId }),
      relayPeers: () => metadataNodes().map(({ peer }) => peer),
    }));
  const { nodeDir } = options;
  // A thread keeps its own time: whoever brings a clock wants none.
  const hasThread = options.clock === undefined && availableParallelism() > 1;
  const thread = hasThread ? new Sha256Thread(collaborators) : undefined;
  const hasher = new MessageHasher({ ...collaborators, thread });
  const localBlocks =
    nodeDir === undefined ? undefined : new LocalBlocks({ ...collaborators, hasher }, { nodeDir });
  const client = new Client(
    { ...collaborators, network, hasher, localBlocks },
    {
      profile,
      nearby: () => network.neighbours?.() ?? [],
      host: options.host ?? hostname(),
      refreshPeriodMs: options.refreshPeriodMs,
      cache: options.cache,
      owner: options.owner ?? (await localUser()),
      remember: async (changed) => {
        if (options.profile === undefined) await saveProfile(profileDir, changed);
      },
      release: async () => {
        await thread?.close();
        if (options.network === undefined) await network.stop();
      },
    },
  );
  metadataNodes = () => client.metadataNodes;
  return client;
}
