/** @module Clients' changes to and reads of the namespace. */
import { checkLevel, levelOfCommand } from '../namespace/feature-level.ts';
import { MAX_LIST_ENTRIES } from '../namespace/limits.ts';
import type { SessionCommand } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { FORWARD, LIST, MUTATE, MUTATE_MANY, STAT, STAT_MANY } from '../protocol/methods.ts';
import { judgeAll, NO_ERROR, type WireVerdict } from '../protocol/verdict.ts';
import { isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type {
  ForwardRequest,
  ForwardResponse,
  MutateManyResponse,
  MutateVerdict,
  StatManyResponse,
  StatRequest,
  StatVerdict,
} from '../protocol/messages.ts';
import { badRequest, notAllowed, outcomeUnknown } from './errors.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import { prepareCommand } from './proposal-queue.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface NamespaceServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: Pick<MemberDirectory, 'activeByPeer' | 'byNumber'>;
  readonly driver: Pick<RaftDriver, 'propose' | 'isLeader' | 'leader'>;
  readonly proposer: Pick<Proposer, 'submit'>;
  readonly barrier: Pick<ReadBarrier, 'wait'>;
  readonly logger: Logger;
}

/** Of one client in one message. */
const MAX_REQUESTS_TOGETHER = 512;

/** Commands that are not idempotent: without a session, a retry could do them twice. */
const NEEDS_SESSION: ReadonlySet<string> = new Set([
  'makeDirectory',
  'createFile',
  'restoreEntry',
  'appendBlocks',
  'closeFile',
  'rename',
  'copyFile',
  'unlink',
  'removeDirectory',
  'removeTree',
  'setReplication',
  'touch',
  'makeSymlink',
  'setAttributes',
  'openAppend',
  'closeAppend',
  'copyBlocks',
]);
const NEEDS_NO_SESSION: ReadonlySet<string> = new Set(['openSession', 'renewLease', 'abandonFile']);

export class NamespaceService {
  readonly #components: NamespaceServiceComponents;

  constructor(components: NamespaceServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, machine, proposer, barrier } = this.#components;
    serve(network, MUTATE, async ({ command }, call) => {
      const { result, index } = await proposer.submit(await this.#admitted(command, call), call);
      return { result, index, leader: this.#otherLeader() };
    });
    serve(network, MUTATE_MANY, ({ commands }, call) => this.#mutateMany(commands, call));
    serve(network, FORWARD, async (request, { peer }) => this.#forwarded(request, peer));
    serve(network, STAT, async ({ path, stale, noFollow }, { signal }) => {
      if (!stale) await barrier.wait(signal);
      return { stat: await machine.stat(path, { noFollow: noFollow ?? false }) };
    });
    serve(network, STAT_MANY, ({ requests }, { signal }) => this.#statMany(requests, signal));
    serve(network, LIST, async ({ path, after, limit, stale }, { signal }) => {
      if (!stale) await barrier.wait(signal);
      return machine.list(path, after, limit === 0 ? MAX_LIST_ENTRIES : limit);
    });
  }

  async #mutateMany(commands: readonly SessionCommand[], call: CallContext): Promise<MutateManyResponse> {
    if (commands.length > MAX_REQUESTS_TOGETHER)
      throw badRequest(`at most ${MAX_REQUESTS_TOGETHER} changes travel together`);
    const work = async (command: SessionCommand): Promise<MutateVerdict> => {
      const { result } = await this.#components.proposer.submit(await this.#admitted(command, call), call);
      return { result, error: NO_ERROR };
    };
    const refuse = ({ error }: WireVerdict): MutateVerdict => ({ result: undefined, error });
    const verdicts = await judgeAll(this.#components, MUTATE_MANY.name, commands, work, refuse);
    return { verdicts, leader: this.#otherLeader() };
  }

  /** Whom the client may ask in this node's place; empty where this node leads, or nobody is known to. */
  #otherLeader(): string {
    const { driver, members } = this.#components;
    return driver.isLeader ? '' : (members.byNumber(driver.leader)?.peer ?? '');
  }

  async #statMany(requests: readonly StatRequest[], signal: AbortSignal): Promise<StatManyResponse> {
    if (requests.length > MAX_REQUESTS_TOGETHER)
      throw badRequest(`at most ${MAX_REQUESTS_TOGETHER} entries are looked at together`);
    const { machine, barrier } = this.#components;
    if (requests.some(({ stale }) => !stale)) await barrier.wait(signal);
    const work = async ({ path, noFollow }: StatRequest): Promise<StatVerdict> => {
      const stat = await machine.stat(path, { noFollow: noFollow ?? false });
      return { stat, error: NO_ERROR };
    };
    const refuse = ({ error }: WireVerdict): StatVerdict => ({ stat: undefined, error });
    return { verdicts: await judgeAll(this.#components, STAT_MANY.name, requests, work, refuse) };
  }

  /** This node's level may be behind the cluster's for a moment: it looks again before it refuses. */
  async #admitted(command: SessionCommand | undefined, call: CallContext): Promise<SessionCommand> {
    const { machine, barrier } = this.#components;
    const admitted = admit(command, call.peer);
    const kind = admitted.command?.kind;
    if (kind === undefined || levelOfCommand(kind) <= machine.featureLevel) return admitted;
    await barrier.wait(call.signal);
    checkLevel(kind, machine.cluster());
    return admitted;
  }

  /** A batch of another metadata node. It is never forwarded on: who is no leader says so, and the sender looks again. */
  async #forwarded({ commands }: ForwardRequest, peer: PeerId): Promise<ForwardResponse> {
    const { members, driver } = this.#components;
    if (!hasRole(members.activeByPeer(peer), 'meta'))
      throw notAllowed('only a metadata node may forward commands', { peer });
    // A newer version's command would arrive here as none at all, and in the log stop every node.
    if (commands.some(({ command }) => command?.kind === undefined))
      throw badRequest('it carries no command');
    const outcomes = await Promise.allSettled(
      commands.map((command) => driver.propose(prepareCommand(command))),
    );
    const committed = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
    if (committed.length < outcomes.length) throw batchError(outcomes, committed.length);
    return {
      results: committed.map(({ result }) => result),
      index: committed.reduce((highest, { index }) => Math.max(highest, index), 0),
    };
  }
}

/** One answer for all: "nothing happened" may be said only when it is true of every command. */
function batchError(outcomes: readonly PromiseSettledResult<unknown>[], committed: number): unknown {
  const reasons = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  const surelyNothing =
    committed === 0 && reasons.every((reason) => isHoldfastError(reason) && reason.kind !== 'unknown');
  return surelyNothing
    ? reasons[0]
    : outcomeUnknown('only part of a forwarded batch was confirmed', reasons[0]);
}

/** The command as it may go into the log: only what clients may do, and a session in the name of its real owner. */
function admit(command: SessionCommand | undefined, peer: PeerId): SessionCommand {
  const kind = command?.command?.kind;
  if (command === undefined || kind === undefined) throw badRequest('it carries no command');
  if (kind.$case === 'openSession')
    return { ...command, command: { kind: { $case: 'openSession', value: { ...kind.value, owner: peer } } } };
  if (NEEDS_NO_SESSION.has(kind.$case)) return command;
  if (!NEEDS_SESSION.has(kind.$case))
    throw notAllowed(`clients may not propose ${kind.$case}`, { command: kind.$case });
  if (command.session === '' || command.sequence === 0)
    throw badRequest(`${kind.$case} must carry a session and a sequence from 1`, { command: kind.$case });
  return command;
}
