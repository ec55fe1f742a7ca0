/**
 * @module A ConfChange as bytes in an entry.
 *
 * Layout: version (1), transition (1), number of changes (2, big endian), then per change its type (1) and node id
 * (8, big endian); the rest is the context. No bytes at all mean "leave the joint configuration".
 */
import { RaftError } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { ConfChange, ConfChangeSingle, ConfChangeTransition, ConfChangeType } from './types.ts';

const VERSION = 1;
const HEADER_BYTES = 4;
const CHANGE_BYTES = 9;
const MAX_CHANGES = 0xffff;

/** Position = code on the wire; append only. */
const TRANSITIONS: readonly ConfChangeTransition[] = [
  'ConfChangeTransitionAuto',
  'ConfChangeTransitionJointImplicit',
  'ConfChangeTransitionJointExplicit',
];
const TYPES: readonly ConfChangeType[] = [
  'ConfChangeAddNode',
  'ConfChangeRemoveNode',
  'ConfChangeUpdateNode',
  'ConfChangeAddLearnerNode',
];

/** The change that leaves a joint configuration. */
export const LEAVE_JOINT: ConfChange = {
  transition: 'ConfChangeTransitionAuto',
  changes: [],
  context: EMPTY_BYTES,
};

/** Throws RAFT_CONF_CHANGE_INVALID for more than 65535 changes or an id that is no safe integer. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const { transition, changes, context } = change;
  if (changes.length === 0 && context.length === 0 && transition === LEAVE_JOINT.transition)
    return EMPTY_BYTES;
  if (changes.length > MAX_CHANGES)
    throw new RaftError(
      'RAFT_CONF_CHANGE_INVALID',
      `${changes.length} changes at once are too many; split them.`,
    );
  const bytes = new Uint8Array(HEADER_BYTES + changes.length * CHANGE_BYTES + context.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = TRANSITIONS.indexOf(transition);
  view.setUint16(2, changes.length);
  let offset = HEADER_BYTES;
  for (const { type, nodeId } of changes) {
    if (!Number.isSafeInteger(nodeId) || nodeId < 0)
      throw new RaftError('RAFT_CONF_CHANGE_INVALID', `${nodeId} is no node id.`);
    bytes[offset] = TYPES.indexOf(type);
    view.setBigUint64(offset + 1, BigInt(nodeId));
    offset += CHANGE_BYTES;
  }
  bytes.set(context, offset);
  return bytes;
}

/** Throws RAFT_BAD_ENCODING for anything that encodeConfChange does not write. */
export function decodeConfChange(bytes: Uint8Array): ConfChange {
  if (bytes.length === 0) return LEAVE_JOINT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) throw badEncoding('unknown version or too short');
  const transition = TRANSITIONS[bytes[1] ?? TRANSITIONS.length];
  if (transition === undefined) throw badEncoding(`unknown transition ${bytes[1]}`);
  const end = HEADER_BYTES + view.getUint16(2) * CHANGE_BYTES;
  if (bytes.length < end) throw badEncoding(`${bytes.length} bytes, but ${end} expected`);
  const changes: ConfChangeSingle[] = [];
  for (let offset = HEADER_BYTES; offset < end; offset += CHANGE_BYTES) {
    const type = TYPES[bytes[offset] ?? TYPES.length];
    if (type === undefined) throw badEncoding(`unknown change ${bytes[offset]}`);
    changes.push({ type, nodeId: Number(view.getBigUint64(offset + 1)) });
  }
  return { transition, changes, context: bytes.slice(end) };
}

function badEncoding(why: string): RaftError {
  return new RaftError('RAFT_BAD_ENCODING', `These bytes are no membership change (${why}).`);
}
