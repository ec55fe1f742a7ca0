/** @module Messages, entries and Readys as text, in the form of etcd-raft, so that traces of the two can be compared. */
import { decodeConfChange } from './conf-change-codec.ts';
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD } from './messages.ts';
import type { ProgressStatus } from './status.ts';
import { sortedIds } from './tracker.ts';
import type { Configuration } from './tracker.ts';
import { NO_NODE } from './types.ts';
import type {
  ConfChangeSingle,
  ConfChangeType,
  ConfState,
  Entry,
  HardState,
  Message,
  NodeId,
  ReadState,
  Ready,
  Snapshot,
  SoftState,
} from './types.ts';

const HEX = 16;
const CHANGE_LETTERS: Readonly<Record<ConfChangeType, string>> = {
  ConfChangeAddNode: 'v',
  ConfChangeAddLearnerNode: 'l',
  ConfChangeRemoveNode: 'r',
  ConfChangeUpdateNode: 'u',
};

/** Several lines; `<empty Ready>` when nothing is owed. */
export function describeReady(ready: Ready): string {
  const lines: string[] = [];
  if (ready.softState !== undefined) lines.push(describeSoftState(ready.softState));
  if (ready.hardState !== undefined) lines.push(`HardState ${describeHardState(ready.hardState)}`);
  if (ready.readStates.length > 0)
    lines.push(`ReadStates [${ready.readStates.map(describeReadState).join(' ')}]`);
  if (ready.entries.length > 0) lines.push('Entries:', ...ready.entries.map(describeEntry));
  if (ready.snapshot !== undefined) lines.push(`Snapshot ${describeSnapshot(ready.snapshot)}`);
  if (ready.committedEntries.length > 0)
    lines.push('CommittedEntries:', ...ready.committedEntries.map(describeEntry));
  if (ready.messages.length > 0) lines.push('Messages:', ...ready.messages.map((m) => describeMessage(m)));
  if (lines.length === 0) return '<empty Ready>';
  return `Ready MustSync=${ready.mustSync}:\n${lines.join('\n')}\n`;
}

/** One line, or more for several entries, a snapshot or responses; `indent` precedes each. */
export function describeMessage(m: Message, indent = ''): string {
  let text = `${indent}${describeTarget(m.from)}->${describeTarget(m.to)} ${m.type} Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject === true) text += ` Rejected (Hint: ${m.rejectHint ?? 0})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== undefined && m.vote !== NO_NODE) text += ` Vote:${m.vote}`;
  const [first] = m.entries;
  if (m.entries.length === 1 && first !== undefined) text += ` Entries:[${describeEntry(first)}]`;
  else if (m.entries.length > 1)
    text += ` Entries:[${m.entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join('')}\n${indent}]`;
  if (m.snapshot !== undefined) text += `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`;
  if (m.responses !== undefined && m.responses.length > 0)
    text += ` Responses:[${m.responses.map((r) => `\n${describeMessage(r, `${indent}  `)}`).join('')}\n${indent}]`;
  return text;
}

export function describeEntry(entry: Entry): string {
  const payload =
    entry.type === 'EntryNormal'
      ? quote(entry.data)
      : describeConfChanges(decodeConfChange(entry.data).changes);
  return `${entry.term}/${entry.index} ${entry.type}${payload === '' ? '' : ` ${payload}`}`;
}

/** `v2 l3 r1`: voter added, learner added, node removed. */
export function describeConfChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${CHANGE_LETTERS[type]}${nodeId}`).join(' ');
}

export function describeSoftState(state: SoftState): string {
  return `Lead:${state.lead} State:${state.raftState}`;
}

export function describeHardState(state: HardState): string {
  return `Term:${state.term}${state.vote === NO_NODE ? '' : ` Vote:${state.vote}`} Commit:${state.commit}`;
}

export function describeSnapshot({ metadata }: Snapshot): string {
  return `Index:${metadata.index} Term:${metadata.term} ConfState:${describeConfState(metadata.confState)}`;
}

export function describeConfState(state: ConfState): string {
  return `Voters:${listOf(state.voters)} VotersOutgoing:${listOf(state.votersOutgoing)} Learners:${listOf(state.learners)} LearnersNext:${listOf(state.learnersNext)} AutoLeave:${state.autoLeave}`;
}

/** `voters=(1 2 3)&&(1 2) learners=(4) autoleave`. */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, learners, learnersNext, autoLeave } = configuration;
  let text = `voters=${setOf(voters[0])}`;
  if (voters[1].size > 0) text += `&&${setOf(voters[1])}`;
  if (learners.size > 0) text += ` learners=${setOf(learners)}`;
  if (learnersNext.size > 0) text += ` learners_next=${setOf(learnersNext)}`;
  if (autoLeave) text += ' autoleave';
  return text;
}

export function describeProgress(progress: ProgressStatus): string {
  let text = `${progress.state} match=${progress.match} next=${progress.next}`;
  if (progress.isLearner) text += ' learner';
  if (progress.paused) text += ' paused';
  if (progress.pendingSnapshot > 0) text += ` pendingSnap=${progress.pendingSnapshot}`;
  if (!progress.recentActive) text += ' inactive';
  if (progress.inflight > 0) text += ` inflight=${progress.inflight}${progress.inflightFull ? '[full]' : ''}`;
  return text;
}

function listOf(ids: readonly NodeId[]): string {
  return `[${ids.join(' ')}]`;
}

function setOf(ids: ReadonlySet<NodeId>): string {
  return `(${sortedIds(ids).join(' ')})`;
}

function describeReadState({ index, requestCtx }: ReadState): string {
  return `{${index} [${requestCtx.join(' ')}]}`;
}

function describeTarget(id: NodeId): string {
  if (id === NO_NODE) return 'None';
  if (id === LOCAL_APPEND_THREAD) return 'AppendThread';
  if (id === LOCAL_APPLY_THREAD) return 'ApplyThread';
  return id.toString(HEX);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Like Go's %q for ASCII; every other byte is escaped. */
function quote(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    const escaped = ESCAPES[char];
    if (escaped !== undefined) text += escaped;
    else if (byte >= 0x20 && byte < 0x7f) text += char;
    else text += `\\x${byte.toString(HEX).padStart(2, '0')}`;
  }
  return `"${text}"`;
}
