/** @module Commands on their way through the log of the leader: queued, proposed as batches, answered once applied. */
import { encodeMessage } from '../common/encode-message.ts';
import type { Entry, Index, Term } from '../../raft/types.ts';
import { CommandBatch, type Result, SessionCommand } from '../namespace/schema.ts';
import { FIRST_FEATURE_LEVEL, levelOfCommand } from '../namespace/feature-level.ts';
import { commandTooLarge, notLeader, outcomeUnknown, overloaded } from './errors.ts';

/** What became of one command, and the index of the entry it stood in. */
export interface Committed {
  readonly result: Result;
  readonly index: Index;
}

/** One log entry to be: several commands, encoded. */
export interface ProposalBatch {
  readonly data: Uint8Array;
  readonly waiting: readonly Waiting[];
}

/** A command with its encoding, made once: its size is needed before its place is known. */
export interface PreparedCommand {
  readonly command: SessionCommand;
  readonly bytes: Uint8Array;
}

interface Waiting {
  readonly prepared: PreparedCommand;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: Error) => void;
}

interface Bound {
  readonly term: Term;
  readonly batch: ProposalBatch;
}

/** Commands waiting to be proposed, at most. */
export const MAX_QUEUED_COMMANDS = 8_192;
/** Commands in one entry, at most. */
const MAX_BATCH_COMMANDS = 512;
/** Encoded commands in one entry, at most, in bytes; also the limit of one command. */
export const MAX_BATCH_BYTES: number = 1024 * 1024;
/** Of CommandBatch.commands: field 3, wire type 2 (a length, then bytes). */
const COMMANDS_TAG = 26;

/** Throws METADATA_COMMAND_TOO_LARGE. */
export function prepareCommand(command: SessionCommand): PreparedCommand {
  const bytes = encodeMessage(SessionCommand, command);
  if (bytes.length > MAX_BATCH_BYTES) throw commandTooLarge(bytes.length, MAX_BATCH_BYTES);
  return { command, bytes };
}

export class ProposalQueue {
  #queued: Waiting[] = [];
  /** Handed to the core, index not yet known. */
  readonly #proposed = new Map<Uint8Array, ProposalBatch>();
  readonly #bound = new Map<Index, Bound>();

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** Rejects with METADATA_OVERLOADED, METADATA_NOT_LEADER, METADATA_OUTCOME_UNKNOWN. */
  add(prepared: PreparedCommand): Promise<Committed> {
    if (this.#queued.length >= MAX_QUEUED_COMMANDS)
      return Promise.reject(overloaded('queue of proposals', MAX_QUEUED_COMMANDS));
    return new Promise((resolve, reject) => {
      this.#queued.push({ prepared, resolve, reject });
    });
  }

  /** The next batch, stamped with `timeMs`; undefined when nothing is queued. */
  takeBatch(timeMs: number): ProposalBatch | undefined {
    if (this.#queued.length === 0) return undefined;
    let count = 0;
    let sizeBytes = 0;
    let format = FIRST_FEATURE_LEVEL;
    for (const { prepared } of this.#queued) {
      if (count === MAX_BATCH_COMMANDS) break;
      if (count > 0 && sizeBytes + prepared.bytes.length > MAX_BATCH_BYTES) break;
      sizeBytes += prepared.bytes.length;
      count += 1;
      const kind = prepared.command.command?.kind;
      if (kind !== undefined) format = Math.max(format, levelOfCommand(kind));
    }
    const waiting = this.#queued.splice(0, count);
    return { data: encodeBatch(format, timeMs, waiting), waiting };
  }

  /** The core took the batch. */
  proposed(batch: ProposalBatch): void {
    this.#proposed.set(batch.data, batch);
  }

  /** The core did not take the batch: nothing happened. */
  refused(batch: ProposalBatch, error: Error): void {
    for (const { reject } of batch.waiting) reject(error);
  }

  /** Learns which indexes the proposed batches got. The core hands out the very bytes it was given. */
  bind(entries: readonly Entry[]): void {
    for (const { data, index, term } of entries) {
      const batch = this.#proposed.get(data);
      if (batch === undefined) continue;
      this.#proposed.delete(data);
      this.#bound.set(index, { term, batch });
    }
  }

  /** Entry `index` was applied; `results` stand in the order of its commands. */
  applied(index: Index, term: Term, results: readonly Result[]): void {
    const bound = this.#bound.get(index);
    if (bound === undefined) return;
    this.#bound.delete(index);
    bound.batch.waiting.forEach(({ resolve, reject }, position) => {
      const result = results[position];
      if (bound.term !== term || result === undefined)
        reject(outcomeUnknown('another leader wrote over its log entry'));
      else resolve({ result, index });
    });
  }

  /** No longer leader: what was queued surely did not happen, what was proposed may have. */
  leadershipLost(leader: number): void {
    this.#rejectQueued(notLeader(leader));
    this.#rejectProposed(outcomeUnknown('the leader lost its leadership meanwhile'));
  }

  /** The node stops. */
  close(error: Error): void {
    this.#rejectQueued(error);
    this.#rejectProposed(outcomeUnknown('the metadata node stopped meanwhile', error));
  }

  #rejectQueued(error: Error): void {
    const queued = this.#queued;
    this.#queued = [];
    for (const { reject } of queued) reject(error);
  }

  #rejectProposed(error: Error): void {
    const batches = [...this.#proposed.values(), ...[...this.#bound.values()].map(({ batch }) => batch)];
    this.#proposed.clear();
    this.#bound.clear();
    for (const batch of batches) this.refused(batch, error);
  }
}

/** What CommandBatch.encode gives, from commands that are encoded already. */
function encodeBatch(format: number, timeMs: number, waiting: readonly Waiting[]): Uint8Array {
  const writer = CommandBatch.encode({ format, timeMs, commands: [] });
  for (const { prepared } of waiting) writer.uint32(COMMANDS_TAG).bytes(prepared.bytes);
  return writer.finish();
}
