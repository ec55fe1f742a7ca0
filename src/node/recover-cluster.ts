/** @module `cluster recover`: a stopped survivor of a lost majority becomes the first metadata node of a new epoch. */
import {
  hasBegun,
  recoveryWrite,
  survey,
  type RecoveryComponents,
  type Survey,
} from '../metadata/recovery.ts';
import type { Member } from '../namespace/schema.ts';
import { DataDirectory, readConfig } from './data-directory.ts';
import {
  betterSurvivor,
  hasLeft,
  notAMetadataNode,
  nothingToRecover,
  quorumNotLost,
  recoveredElsewhere,
} from './errors.ts';
import type { NodeConfig } from './node-config.ts';
import {
  askSurvivors,
  openSurvivor,
  surveyDirectory,
  type Survivor,
  type SurvivorComponents,
  survivorFrom,
} from './survivors.ts';

export interface RecoveryOptions {
  /** Directories of further survivors, stopped as well. */
  readonly also?: readonly string[];
  /** Goes on although another survivor has more of the log, or a majority answers. */
  readonly force?: boolean;
}

/** What a person decides on. */
export interface RecoveryPlan {
  readonly config: NodeConfig;
  readonly own: Survey;
  /** The new one. */
  readonly epoch: number;
  /** All whose log could be looked at, this node first. */
  readonly survivors: readonly Survivor[];
  /** Metadata nodes as of now, this one included. */
  readonly metadataNodes: readonly Member[];
  /** An earlier attempt was cut short after the log was written: nothing is left to decide. */
  readonly isUnderWay: boolean;
}

/**
 * Holds the directory, so that the node cannot run meanwhile; `carryOut` at most once. Nothing is changed before.
 * Order of carryOut: a mark, then the log in one transaction, then node.json, then the mark goes. With the mark there the
 * node does not start, and this command goes on where it was cut short.
 */
export class Recovery implements AsyncDisposable {
  readonly plan: RecoveryPlan;
  readonly #directory: DataDirectory;
  readonly #stores: RecoveryComponents;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    plan: RecoveryPlan,
    directory: DataDirectory,
    stores: RecoveryComponents,
    cleanup: AsyncDisposableStack,
  ) {
    this.plan = plan;
    this.#directory = directory;
    this.#stores = stores;
    this.#cleanup = cleanup;
  }

  /**
   * Errors: NODE_ALREADY_RUNNING, NODE_NOT_INITIALISED, NODE_HAS_LEFT, NODE_NOT_A_METADATA_NODE, NODE_NOTHING_TO_RECOVER, NODE_OTHER_CLUSTER,
   * NODE_QUORUM_NOT_LOST, NODE_BETTER_SURVIVOR, NODE_RECOVERED_ELSEWHERE, METADATA_LOG_INCONSISTENT, STORAGE_*.
   */
  static async prepare(
    components: SurvivorComponents,
    path: string,
    { also = [], force = false }: RecoveryOptions = {},
  ): Promise<Recovery> {
    await using cleanup = new AsyncDisposableStack();
    // Claiming makes a directory; where no node lives there is nothing to claim.
    await readConfig(path);
    const directory = cleanup.use(await DataDirectory.claim(path));
    const config = await directory.config();
    if (config.left) throw hasLeft(directory.path, config.number);
    if (!config.roles.includes('meta')) throw notAMetadataNode(directory.path, config.number);
    const stores = await openSurvivor(components, { directory, config, cleanup });

    const own = survey(stores, config.number);
    const metadataNodes = stores.machine
      .members()
      .filter(({ state, roles }) => state === 'active' && roles.includes('meta'));
    if (metadataNodes.length === 0) throw nothingToRecover(directory.path, config.number);
    const begun = await directory.recoveryEpoch();
    const isUnderWay = begun !== undefined && hasBegun(stores, begun);
    // Cut short before anything was written: as if it had never been begun.
    if (begun !== undefined && !isUnderWay) await directory.endRecovery();
    const others = isUnderWay
      ? []
      : [
          ...(await Promise.all(also.map((other) => surveyDirectory(components, other, config.clusterId)))),
          ...(await askSurvivors(components, { directory, config }, metadataNodes)),
        ];
    const epoch = isUnderWay ? begun : Math.max(own.epoch, config.epoch) + 1;
    if (!isUnderWay) checkSurvivors(own, others, force);
    const survivors = [survivorFrom(own, directory.path), ...others];
    const plan = { config, own, epoch, survivors, metadataNodes, isUnderWay };
    return new Recovery(plan, directory, stores, cleanup.move());
  }

  /** Durable when it resolves. `nowMs`: the time that entries carry. */
  async carryOut(nowMs: number): Promise<void> {
    const { config, own, epoch, isUnderWay, metadataNodes } = this.plan;
    const { log } = this.#stores;
    await this.#directory.beginRecovery(epoch);
    if (!isUnderWay) await log.append(recoveryWrite(log, own, epoch, Math.max(nowMs, own.lastTimeMs)));
    // A person has said that this is the node, wherever its files come from.
    if (log.isCopy) await log.adopt();
    const self = metadataNodes.find(({ number }) => number === config.number);
    const addresses =
      self?.addresses ?? config.bootstrap.find(({ number }) => number === config.number)?.addresses;
    const bootstrap = [{ number: config.number, peer: config.peer, addresses: addresses ?? [] }];
    await this.#directory.saveConfig({ ...config, epoch, bootstrap });
    await this.#directory.endRecovery();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** A recovery that is not needed, or that would lose what another survivor still has, is refused. */
function checkSurvivors(own: Survey, others: readonly Survivor[], force: boolean): void {
  const later = others.find(({ epoch }) => epoch > own.epoch);
  if (later !== undefined) throw recoveredElsewhere(own.node, later.node, own.epoch, later.epoch);
  if (force) return;
  const { voters } = own.configuration;
  const present = voters.filter((id) => id === own.node || others.some(({ node }) => node === id));
  if (present.length * 2 > voters.length) throw quorumNotLost(present, voters);
  const best = others.find((other) => isAhead(other, own));
  if (best !== undefined) throw betterSurvivor(own, best);
}

/** Raft §5.4.1: the later term, then the longer log. */
function isAhead(
  one: Pick<Survivor, 'lastTerm' | 'lastIndex'>,
  other: Pick<Survivor, 'lastTerm' | 'lastIndex'>,
): boolean {
  if (one.lastTerm !== other.lastTerm) return one.lastTerm > other.lastTerm;
  return one.lastIndex > other.lastIndex;
}
