/** @module What is left of the metadata nodes: read from directories, and asked of those that run. */
import { join } from 'node:path';
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { repairAtStart } from '../metadata/start-repair.ts';
import { RECEIVED_SNAPSHOTS, SnapshotStore } from '../metadata/snapshot-store.ts';
import { survey, type RecoveryComponents, type Survey } from '../metadata/recovery.ts';
import type { Member } from '../namespace/schema.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { Position } from '../protocol/messages.ts';
import { POSITION, STANDING } from '../protocol/methods.ts';
import { DataDirectory } from './data-directory.ts';
import { otherCluster } from './errors.ts';
import { type MetadataRoleContext, openMetadataStores } from './metadata-role.ts';
import type { NodeConfig } from './node-config.ts';

export interface SurvivorComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A metadata node that answers, or whose directory is here. */
export interface Survivor {
  readonly node: number;
  readonly epoch: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
  readonly commit: number;
  /** Its directory; absent for one that answered. */
  readonly directory?: string;
  /** The leader it follows, 0 for none; a directory follows nobody. */
  readonly leader: number;
}

const ASK_TIMEOUT_MS = 3_000;

/** Log and namespace of a stopped metadata node, brought together, also if the log has lost its end; closed by `cleanup`. Errors: those of starting it. */
export async function openSurvivor(
  { random, logger }: SurvivorComponents,
  context: MetadataRoleContext,
): Promise<RecoveryComponents> {
  const { log, machine } = await openMetadataStores({ ...context, acceptLoss: true }, logger);
  const store = new SnapshotStore(join(context.directory.snapshotDir, RECEIVED_SNAPSHOTS));
  await store.prepare();
  await repairAtStart(log, machine, store);
  return { log, machine, random, logger };
}

/** Errors: NODE_ALREADY_RUNNING, NODE_OTHER_CLUSTER, and those of starting a node. */
export async function surveyDirectory(
  components: SurvivorComponents,
  path: string,
  clusterId: string,
): Promise<Survivor> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await DataDirectory.claim(path));
  const config = await directory.config();
  if (config.clusterId !== clusterId) throw otherCluster(directory.path, clusterId, config.clusterId);
  const found = survey(await openSurvivor(components, { directory, config, cleanup }), config.number);
  return survivorFrom(found, directory.path);
}

export function survivorFrom(
  { node, epoch, lastTerm, lastIndex, commit }: Survey,
  directory: string,
): Survivor {
  return { node, epoch, lastTerm, lastIndex, commit, directory, leader: 0 };
}

/** Asks every one of `members`, all at once, under the identity of the stopped node. Those that do not answer are left out. */
export async function askSurvivors(
  components: SurvivorComponents,
  { directory, config }: { readonly directory: DataDirectory; readonly config: NodeConfig },
  members: readonly Member[],
): Promise<Survivor[]> {
  const identity = await loadOrCreateIdentity(directory.keyFile);
  const network = await createLibp2pNetwork({ ...components, identity }, { listen: [], announce: [] });
  await network.start();
  try {
    const others = members.filter(({ number }) => number !== config.number);
    const answers = await Promise.all(
      others.map((member) => ask({ ...components, network, config }, member)),
    );
    return answers.filter((answer) => answer !== undefined);
  } finally {
    await network.stop();
  }
}

interface Asker extends SurvivorComponents {
  readonly network: Network;
  readonly config: NodeConfig;
}

async function ask(asker: Asker, member: Member): Promise<Survivor | undefined> {
  const { network, logger } = asker;
  network.learn(member.peer, member.addresses);
  try {
    return fromPosition(await call(network, member.peer, POSITION, {}, { timeoutMs: ASK_TIMEOUT_MS }));
  } catch (error) {
    // It runs, and knows this node as a metadata node no more, or cannot tell: then it may be of a later epoch.
    if (isHoldfastError(error, 'NETWORK_NOT_A_MEMBER', 'METADATA_NO_QUORUM')) return askEpoch(asker, member);
    // Silence is what one asks about here: who says nothing is shown as gone.
    logger.debug('recovery.no-answer', { node: member.number, error: describeError(error) });
    return undefined;
  }
}

async function askEpoch({ network, config }: Asker, { peer, number }: Member): Promise<Survivor> {
  const request = { cluster: config.clusterId, epoch: config.epoch, number: config.number };
  const { epoch } = await call(network, peer, STANDING, request, { timeoutMs: ASK_TIMEOUT_MS });
  return { node: number, epoch, lastTerm: 0, lastIndex: 0, commit: 0, leader: 0 };
}

function fromPosition({ node, epoch, lastTerm, lastIndex, commit, leader }: Position): Survivor {
  return { node, epoch, lastTerm, lastIndex, commit, leader };
}
