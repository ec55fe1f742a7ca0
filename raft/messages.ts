/** @module Building messages, and the facts about their types that routing needs. */
import { NO_NODE } from './types.ts';
import type { Entry, HardState, Message, MessageType, NodeId, Term } from './types.ts';

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);
const NO_ENTRIES: readonly Entry[] = [];

/** A message as a role writes it: only the fields that matter; `send` adds sender and term. */
export type MessageDraft = Partial<Message> & { readonly type: MessageType; readonly to: NodeId };

/**
 * Fills the fields a draft leaves out with their zero values. Written out field by field: every message is made here,
 * and those of one type have one shape.
 */
export function message(
  draft: MessageDraft,
  from: NodeId = draft.from ?? NO_NODE,
  term: Term = draft.term ?? 0,
): Message {
  const { type, to, logTerm = 0, index = 0, entries = NO_ENTRIES, commit = 0 } = draft;
  const made: Writable<Message> = { type, to, from, term, logTerm, index, entries, commit };
  if (draft.vote !== undefined) made.vote = draft.vote;
  if (draft.snapshot !== undefined) made.snapshot = draft.snapshot;
  if (draft.reject !== undefined) made.reject = draft.reject;
  if (draft.rejectHint !== undefined) made.rejectHint = draft.rejectHint;
  if (draft.context !== undefined) made.context = draft.context;
  if (draft.responses !== undefined) made.responses = draft.responses;
  return made;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Senders of the acknowledgements of local storage; never on the network. */
export const LOCAL_APPEND_THREAD: NodeId = -1;
export const LOCAL_APPLY_THREAD: NodeId = -2;

const LOCAL_TYPES: ReadonlySet<MessageType> = new Set([
  'MsgHup',
  'MsgBeat',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
]);

const RESPONSE_TYPES: ReadonlySet<MessageType> = new Set([
  'MsgAppResp',
  'MsgVoteResp',
  'MsgHeartbeatResp',
  'MsgUnreachable',
  'MsgReadIndexResp',
  'MsgPreVoteResp',
  'MsgStorageAppendResp',
  'MsgStorageApplyResp',
]);

/** Types that only this process may create; refused when they come from a peer. */
export function isLocalMessage(type: MessageType): boolean {
  return LOCAL_TYPES.has(type);
}

/** Types that answer something; ignored when their sender is not a member. */
export function isResponseMessage(type: MessageType): boolean {
  return RESPONSE_TYPES.has(type);
}

export function isLocalTarget(id: NodeId): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

/**
 * True for what a leader may send before its own entries are durable (thesis §10.2.1): all but the
 * messages that promise something, i.e. votes and acknowledgements.
 */
export function maySendBeforePersisting(type: MessageType): boolean {
  return type === 'MsgApp' || type === 'MsgHeartbeat' || type === 'MsgSnap';
}

export type VoteType = 'MsgVote' | 'MsgPreVote';
export type VoteResponseType = 'MsgVoteResp' | 'MsgPreVoteResp';

export function voteResponseType(type: VoteType): VoteResponseType {
  return type === 'MsgVote' ? 'MsgVoteResp' : 'MsgPreVoteResp';
}

/** The hard state that a MsgStorageAppend asks to write; undefined when it did not change. */
export function hardStateOf({ term, vote, commit }: Message): HardState | undefined {
  if (term === 0 && commit === 0 && (vote ?? 0) === 0) return undefined;
  return { term, vote: vote ?? 0, commit };
}
