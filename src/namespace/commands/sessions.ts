/** @module Exactly-once: a session's answers are kept until acknowledged, and a request asked again gets the same answer. */
import { fileSessionDeadline } from '../deadlines.ts';
import { exists, invalidArgument, limitReached, resultForgotten, sessionExpired } from '../errors.ts';
import { resultKey } from '../keys.ts';
import { MAX_SESSION_ID_LENGTH, MAX_SESSION_RESULTS, MAX_SESSIONS, SESSION_IDLE_MS } from '../limits.ts';
import { DONE } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { OpenSession, Result, Session, SessionCommand } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';

const SESSION_ID = /^[0-9a-zA-Z_-]+$/;

/** Opening one's own session again changes nothing. */
export function openSession(view: RowView, command: OpenSession, context: ApplyContext): Result {
  const { id, owner } = command;
  if (!SESSION_ID.test(id) || id.length > MAX_SESSION_ID_LENGTH)
    throw invalidArgument(`A session id is 1 to ${MAX_SESSION_ID_LENGTH} letters, digits, - or _.`);
  const before = view.get('session', id);
  if (before?.owner === owner) return DONE;
  if (before !== undefined) throw exists(`Session ${id}`);
  if (view.counters.sessions >= MAX_SESSIONS) throw limitReached('sessions', MAX_SESSIONS);
  const session: Session = {
    id,
    owner,
    lastUsedMs: context.timeMs,
    ackedBelow: 0,
    stored: [],
    deadlineMs: context.timeMs + SESSION_IDLE_MS,
  };
  view.put('session', id, session);
  view.counters.sessions++;
  fileSessionDeadline(view, session);
  return DONE;
}

/**
 * The stored answer when the request was applied before; undefined when it is new.
 * Throws NAMESPACE_SESSION_EXPIRED, NAMESPACE_INVALID_ARGUMENT (no sequence, or its answer is forgotten),
 * NAMESPACE_LIMIT_REACHED (too many answers not acknowledged).
 */
export function findStoredResult(view: RowView, request: SessionCommand): Result | undefined {
  const { session: id, sequence } = request;
  const session = view.get('session', id);
  if (session === undefined) throw sessionExpired(id);
  if (sequence < 1) throw invalidArgument('Sequences of a session start at 1.', { session: id, sequence });
  if (session.stored.includes(sequence)) return view.get('result', resultKey(id, sequence));
  if (sequence < session.ackedBelow) throw resultForgotten(id, sequence, session.ackedBelow);
  if (session.stored.length >= MAX_SESSION_RESULTS && request.ackedBelow <= (session.stored[0] ?? 0))
    throw limitReached('answers that a session has not acknowledged', MAX_SESSION_RESULTS);
  return undefined;
}

/** Keeps the answer of a new request and forgets those the client has acknowledged. */
export function storeResult(
  view: RowView,
  request: SessionCommand,
  result: Result,
  context: ApplyContext,
): void {
  const session = view.get('session', request.session);
  // A Housekeeping sent within an idle session may just have expired it.
  if (session === undefined) return;
  const ackedBelow = Math.max(session.ackedBelow, Math.min(request.ackedBelow, request.sequence));
  const stored = insertSorted(session.stored, request.sequence);
  for (const sequence of stored)
    if (sequence < ackedBelow) view.remove('result', resultKey(session.id, sequence));
  view.insert('result', resultKey(session.id, request.sequence), result);
  view.put('session', session.id, {
    ...session,
    lastUsedMs: context.timeMs,
    ackedBelow,
    stored: stored.filter((sequence) => sequence >= ackedBelow),
  });
}

/** Forgets a session and its answers. */
export function dropSession(view: RowView, session: Session): void {
  for (const sequence of session.stored) view.remove('result', resultKey(session.id, sequence));
  view.remove('session', session.id);
  view.counters.sessions--;
}

function insertSorted(sequences: readonly number[], sequence: number): number[] {
  const at = sequences.findLastIndex((other) => other < sequence) + 1;
  return [...sequences.slice(0, at), sequence, ...sequences.slice(at)];
}
