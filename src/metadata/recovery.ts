/**
 * @module The way back after the loss of a majority: one survivor goes on alone, in a new epoch.
 *
 * Raft cannot do this safely: what was committed by the lost majority and never reached the survivor is gone. A person
 * decides it. What is written is ordinary log: changes of membership down to the survivor and the command that begins
 * the epoch, all marked as committed in the one write that appends them. So it is there whole or not at all, and every
 * node that joins later replays it like anything else.
 */
import { decodeConfChange, encodeConfChange, LEAVE_JOINT } from '../../raft/conf-change-codec.ts';
import { RawNode } from '../../raft/raw-node.ts';
import type { ConfChange, ConfChangeType, ConfState, Entry, Index, NodeId, Term } from '../../raft/types.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { levelOfCommand } from '../namespace/feature-level.ts';
import { CommandBatch } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { LogWrite, RaftLogStore } from '../storage/raft-log-store.ts';
import { isConfChange } from './applier.ts';
import { coreConfig } from './core-config.ts';

export interface RecoveryComponents {
  readonly log: RaftLogStore;
  /** Has caught up with the log's snapshot (repairAtStart). */
  readonly machine: StateMachine;
  readonly random: Random;
  readonly logger: Logger;
}

/** Where a survivor stands. */
export interface Survey {
  readonly node: NodeId;
  readonly epoch: number;
  readonly lastTerm: Term;
  readonly lastIndex: Index;
  /** Known to be committed; what follows may have been. */
  readonly commit: Index;
  /** Clock of the leader of the last entry that carries one, in ms since 1970; 0 when there is none in the log. */
  readonly lastTimeMs: number;
  /** With every change of membership in the log, committed or not. */
  readonly configuration: ConfState;
}

/** Entries looked at for a time or for an epoch, at most. */
const MAX_LOOK_BACK_ENTRIES = 1_024;
const MAX_PAGE_BYTES: number = 4 * 1024 * 1024;

export function survey(components: RecoveryComponents, node: NodeId): Survey {
  const { log, machine } = components;
  const { hardState } = log.initialState();
  const lastIndex = log.lastIndex();
  return {
    node,
    epoch: machine.cluster()?.epoch ?? 0,
    lastTerm: log.term(lastIndex),
    lastIndex,
    commit: Math.max(hardState.commit, machine.appliedIndex),
    lastTimeMs: lastBatches(log).find(({ timeMs }) => timeMs > 0)?.timeMs ?? machine.counters().timeMs,
    configuration: configurationAtEnd(components, node),
  };
}

/** Whether `log` ends in epoch `epoch`, or a later one was applied: a recovery that was cut short got this far. */
export function hasBegun({ log, machine }: RecoveryComponents, epoch: number): boolean {
  if ((machine.cluster()?.epoch ?? 0) >= epoch) return true;
  return lastBatches(log).some(({ commands }) =>
    commands.some(
      ({ command }) => command?.kind?.$case === 'recoverCluster' && command.kind.value.epoch >= epoch,
    ),
  );
}

/** What makes the survivor `at.node` the only metadata node, in `epoch`. To be appended whole. */
export function recoveryWrite(log: RaftLogStore, at: Survey, epoch: number, nowMs: number): LogWrite {
  const { hardState } = log.initialState();
  const term = Math.max(hardState.term, at.lastTerm) + 1;
  const kind = { $case: 'recoverCluster', value: { epoch, survivor: at.node } } as const;
  const batch = CommandBatch.encode({
    format: levelOfCommand(kind),
    timeMs: nowMs,
    commands: [
      {
        session: '',
        sequence: 0,
        ackedBelow: 0,
        command: { kind },
      },
    ],
  }).finish();
  const entries = [
    ...changesTo(at.node, at.configuration).map(
      (change) => ({ type: 'EntryConfChangeV2', data: encodeConfChange(change) }) as const,
    ),
    { type: 'EntryNormal', data: batch } as const,
  ].map((entry, position): Entry => ({ ...entry, term, index: at.lastIndex + 1 + position }));
  const commit = at.lastIndex + entries.length;
  return { hardState: { term, vote: 0, commit }, entries, mustSync: true };
}

/** The core itself works out what the changes in the log's tail make of the configuration. */
function configurationAtEnd(components: RecoveryComponents, node: NodeId): ConfState {
  const { log, machine } = components;
  const core = new RawNode(coreConfig({ ...components, snapshots: log }, node));
  let { confState } = core.status();
  const lastIndex = log.lastIndex();
  for (let from = machine.appliedIndex + 1; from <= lastIndex; ) {
    const page = log.entries(from, lastIndex + 1, MAX_PAGE_BYTES);
    for (const entry of page.filter(isConfChange))
      confState = core.applyConfChange(decodeConfChange(entry.data));
    from += page.length;
  }
  return confState;
}

/** One at a time, so that each is a simple change whatever came before; the survivor may have been a learner. */
function changesTo(
  survivor: NodeId,
  { voters, votersOutgoing, learners, learnersNext }: ConfState,
): ConfChange[] {
  const others = [...voters, ...votersOutgoing, ...learners, ...learnersNext].filter((id) => id !== survivor);
  return [
    ...(votersOutgoing.length > 0 ? [LEAVE_JOINT] : []),
    ...(voters.includes(survivor) ? [] : [single('ConfChangeAddNode', survivor)]),
    ...[...new Set(others)].map((id) => single('ConfChangeRemoveNode', id)),
  ];
}

function single(type: ConfChangeType, nodeId: NodeId): ConfChange {
  return {
    transition: 'ConfChangeTransitionAuto',
    changes: [{ type, nodeId }],
    context: new Uint8Array(0),
  };
}

/** The last batches of the log, the latest first. */
function lastBatches(log: RaftLogStore): CommandBatch[] {
  const last = log.lastIndex();
  const first = Math.max(log.firstIndex(), last - MAX_LOOK_BACK_ENTRIES + 1);
  const batches: CommandBatch[] = [];
  for (let from = first; from <= last; ) {
    const page = log.entries(from, last + 1, MAX_PAGE_BYTES);
    for (const entry of page)
      if (!isConfChange(entry) && entry.data.length > 0) batches.push(CommandBatch.decode(entry.data));
    from += page.length;
  }
  return batches.toReversed();
}
