/** @module One process: a data directory, its network, and the roles that run on it. */
import type { Clock } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { type Identity, loadOrCreateIdentity } from '../network/identity.ts';
import { DataDirectory } from './data-directory.ts';
import { configDamaged, hasLeft, identityMismatch, recoveryUnfinished } from './errors.ts';
import { changedConfig, type NodeChanges, rolesToRun } from './node-changes.ts';
import type { NodeConfig, NodeRole } from './node-config.ts';
import { setDamagedAside } from './node-ending.ts';
import { hasLostState } from './readmission.ts';
import { rejoinCluster } from './rejoin-cluster.ts';
import { startRoles } from './running-roles.ts';

const DAMAGED_NAMESPACE = 'STORAGE_CORRUPT_ROWS';

export interface NodeComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface NodeOptions {
  readonly changes?: NodeChanges;
  /** Of the release that runs, for people. */
  readonly version?: string;
  /** host:port to serve Prometheus metrics at; none when absent. */
  readonly metricsListen?: string | undefined;
  /** Called at most once, when the node cannot go on; stop() is still to be called. */
  readonly onFatal: (error: Error) => void;
}

export interface RunningNode {
  readonly config: NodeConfig;
  readonly roles: readonly NodeRole[];
  readonly directory: string;
  /** Full multiaddrs others can dial. */
  readonly addresses: readonly string[];
  /** Ends the roles, closes the network and the stores, and lets the next process in. Repeating it waits for the same end. */
  stop(): Promise<void>;
}

/**
 * Starts the node that lives in `path`. What was begun is undone when a later step fails. A metadata node whose log is
 * damaged, incomplete or older than what its peers have seen does not vote with it: it comes back under a new number
 * (rejoin-cluster.ts), and is tried once more. A namespace that cannot be read is set aside and made anew from the log;
 * where the log does not reach back so far, that counts as a lost log.
 * Errors: NODE_NOT_INITIALISED, NODE_ALREADY_RUNNING, NODE_DIRECTORY_NOT_WRITABLE, NODE_CONFIG_DAMAGED, NODE_HAS_LEFT, NODE_RECOVERY_UNFINISHED,
 * NODE_BLOCKS_GONE, NODE_REJOIN_ALONE, NODE_REJOIN_FAILED, NODE_IDENTITY_MISMATCH, NODE_ROLE_NOT_GRANTED, NETWORK_PORT_IN_USE, NETWORK_CANNOT_LISTEN, STORAGE_*.
 */
export async function startNode(
  components: NodeComponents,
  path: string,
  options: NodeOptions,
): Promise<RunningNode> {
  try {
    return await startReadable(components, path, options);
  } catch (error) {
    if (!hasLostState(error)) throw error;
    await rejoinCluster(components, path, error);
    return await startOnce(components, path, options);
  }
}

async function startReadable(
  components: NodeComponents,
  path: string,
  options: NodeOptions,
): Promise<RunningNode> {
  try {
    return await startOnce(components, path, options);
  } catch (error) {
    if (!isHoldfastError(error, DAMAGED_NAMESPACE)) throw error;
    await using directory = await DataDirectory.claim(path);
    await setDamagedAside(directory, components.logger);
  }
  return startOnce(components, path, options);
}

async function startOnce(
  components: NodeComponents,
  path: string,
  { changes = {}, version = '', metricsListen, onFatal }: NodeOptions,
): Promise<RunningNode> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await DataDirectory.claim(path));
  const before = await directory.config();
  if (before.left) throw hasLeft(directory.path, before.number);
  const recovering = await directory.recoveryEpoch();
  if (recovering !== undefined) throw recoveryUnfinished(directory.path, recovering);
  const roles = rolesToRun(before, changes.roles);
  const acceptsLoss = changes.blocksLost ?? false;
  const config = await changedConfig(before, changes);
  if (config !== before) await directory.saveConfig(config);
  const identity = await ownIdentity(directory, config);
  const logger = components.logger.with({ node: config.number });

  const network = await startRoles(
    { ...components, logger, identity },
    { directory, config, roles, acceptsLoss, version, metricsListen, onFatal, cleanup },
  );
  const addresses = network.addresses();
  logger.info('node.started', { cluster: config.clusterId, peer: config.peer, roles, addresses });
  const running = cleanup.move();
  let stopped: Promise<void> | undefined;
  return {
    config,
    roles,
    directory: directory.path,
    addresses,
    stop() {
      stopped ??= running.disposeAsync().then(() => logger.info('node.stopped'));
      return stopped;
    },
  };
}

/** The key that goes with node.json. A missing one is never replaced: the peer id is who this node is. */
async function ownIdentity(directory: DataDirectory, config: NodeConfig): Promise<Identity> {
  const names = await directory.contents();
  if (!names.some((name) => directory.keyFile.endsWith(`/${name}`)))
    throw configDamaged(directory.keyFile, 'the file is missing');
  const identity = await loadOrCreateIdentity(directory.keyFile);
  if (identity.peer !== config.peer) throw identityMismatch(directory.path, config.peer, identity.peer);
  return identity;
}
