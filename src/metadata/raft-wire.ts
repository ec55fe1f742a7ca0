/** @module The core's messages and configuration as protobuf, and back. */
import type { ConfState, Entry, EntryType, Message, MessageType, Snapshot } from '../../raft/types.ts';
import { assert } from '../common/errors.ts';
import { RaftConfState, type RaftEntry, type RaftMessage, type RaftSnapshot } from '../protocol/messages.ts';

/** Position = number on the wire. For ever: only append. */
const MESSAGE_TYPES: readonly MessageType[] = [
  'MsgHup',
  'MsgBeat',
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
  'MsgPreVote',
  'MsgPreVoteResp',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
  'MsgForgetLeader',
];
/** Position = number on the wire. For ever: only append. */
const ENTRY_TYPES: readonly EntryType[] = ['EntryNormal', 'EntryConfChange', 'EntryConfChangeV2'];
const NO_BYTES: Uint8Array = new Uint8Array(0);

export function toWire(message: Message): RaftMessage {
  return {
    type: MESSAGE_TYPES.indexOf(message.type),
    to: message.to,
    from: message.from,
    term: message.term,
    logTerm: message.logTerm,
    index: message.index,
    entries: message.entries.map(entryToWire),
    commit: message.commit,
    vote: message.vote ?? 0,
    snapshot: message.snapshot === undefined ? undefined : snapshotToWire(message.snapshot),
    reject: message.reject ?? false,
    rejectHint: message.rejectHint ?? 0,
    context: message.context ?? NO_BYTES,
  };
}

/** Throws ASSERTION for a type this version does not know. */
export function fromWire(wire: RaftMessage): Message {
  const type = MESSAGE_TYPES[wire.type];
  assert(type !== undefined, `raft message type ${wire.type} is known`);
  return {
    type,
    to: wire.to,
    from: wire.from,
    term: wire.term,
    logTerm: wire.logTerm,
    index: wire.index,
    entries: wire.entries.map(entryFromWire),
    commit: wire.commit,
    vote: wire.vote,
    ...(wire.snapshot === undefined ? {} : { snapshot: snapshotFromWire(wire.snapshot) }),
    reject: wire.reject,
    rejectHint: wire.rejectHint,
    ...(wire.context.length === 0 ? {} : { context: wire.context }),
  };
}

export function encodeConfState(confState: ConfState): Uint8Array {
  return RaftConfState.encode(confStateToWire(confState)).finish();
}

export function decodeConfState(bytes: Uint8Array): ConfState {
  return RaftConfState.decode(bytes);
}

function entryToWire(entry: Entry): RaftEntry {
  return {
    term: entry.term,
    index: entry.index,
    type: ENTRY_TYPES.indexOf(entry.type),
    data: entry.data,
  };
}

function entryFromWire(wire: RaftEntry): Entry {
  const type = ENTRY_TYPES[wire.type];
  assert(type !== undefined, `raft entry type ${wire.type} is known`);
  return { term: wire.term, index: wire.index, type, data: wire.data };
}

function snapshotToWire({ metadata, data }: Snapshot): RaftSnapshot {
  return {
    index: metadata.index,
    term: metadata.term,
    confState: confStateToWire(metadata.confState),
    data,
  };
}

function snapshotFromWire(wire: RaftSnapshot): Snapshot {
  assert(wire.confState !== undefined, 'a raft snapshot carries its configuration');
  return {
    metadata: { index: wire.index, term: wire.term, confState: wire.confState },
    data: wire.data,
  };
}

function confStateToWire(confState: ConfState): RaftConfState {
  return {
    voters: [...confState.voters],
    votersOutgoing: [...confState.votersOutgoing],
    learners: [...confState.learners],
    learnersNext: [...confState.learnersNext],
    autoLeave: confState.autoLeave,
  };
}
