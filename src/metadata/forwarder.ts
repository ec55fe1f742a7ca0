/** @module Hands commands on to the leader in batches, several batches under way at once. */
import { isHoldfastError } from '../common/errors.ts';
import type { NodeId } from '../../raft/types.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { FORWARD } from '../protocol/methods.ts';
import { notAMember } from './member-errors.ts';
import { notLeader, outcomeUnknown, overloaded, stopped } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';
import { type Committed, MAX_BATCH_BYTES, type PreparedCommand } from './proposal-queue.ts';

export interface ForwarderComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
}

interface Waiting {
  readonly leader: NodeId;
  readonly prepared: PreparedCommand;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: unknown) => void;
}

interface Flight {
  readonly leader: NodeId;
  readonly abort: AbortController;
}

const MAX_QUEUED_COMMANDS = 8_192;
const MAX_FORWARD_COMMANDS = 256;
/** Batches under way at once: enough to cover the way to the leader and its disk. */
const MAX_FLIGHTS = 4;
const FORWARD_TIMEOUT_MS = 5_000;

export class Forwarder {
  readonly #network: Network;
  readonly #members: MemberDirectory;
  #queue: Waiting[] = [];
  readonly #flights = new Set<Flight>();

  constructor(components: ForwarderComponents) {
    this.#network = components.network;
    this.#members = components.members;
  }

  /** Errors: METADATA_NOT_LEADER, METADATA_OVERLOADED and NETWORK_UNREACHABLE say that nothing happened; others may not. */
  forward(leader: NodeId, prepared: PreparedCommand): Promise<Committed> {
    if (this.#queue.length >= MAX_QUEUED_COMMANDS)
      return Promise.reject(overloaded('queue of forwarded commands', MAX_QUEUED_COMMANDS));
    return new Promise((resolve, reject) => {
      this.#queue.push({ leader, prepared, resolve, reject });
      // After this turn, so that the requests of one turn travel together.
      queueMicrotask(() => this.#flush());
    });
  }

  /**
   * Gives up what is under way to anybody but `leader`: a deposed leader may never answer. What still waits to be sent there
   * has surely not happened, and takes no place from what is for the new leader.
   */
  leaderChanged(leader: NodeId): void {
    const late = this.#queue.filter((waiting) => waiting.leader !== leader);
    this.#queue = this.#queue.filter((waiting) => waiting.leader === leader);
    for (const { reject } of late) reject(notLeader(leader));
    for (const flight of this.#flights) if (flight.leader !== leader) flight.abort.abort();
  }

  stop(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { reject } of queue) reject(stopped());
    this.leaderChanged(0);
  }

  #flush(): void {
    while (this.#queue.length > 0 && this.#flights.size < MAX_FLIGHTS) void this.#fly(this.#takeBatch());
  }

  #takeBatch(): Waiting[] {
    const leader = this.#queue[0]?.leader;
    let count = 0;
    let sizeBytes = 0;
    for (const waiting of this.#queue) {
      if (count === MAX_FORWARD_COMMANDS || waiting.leader !== leader) break;
      if (count > 0 && sizeBytes + waiting.prepared.bytes.length > MAX_BATCH_BYTES) break;
      sizeBytes += waiting.prepared.bytes.length;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Never rejects: what happens is told to those who wait. */
  async #fly(batch: readonly Waiting[]): Promise<void> {
    const leader = batch[0]?.leader ?? 0;
    const flight: Flight = { leader, abort: new AbortController() };
    this.#flights.add(flight);
    try {
      const { results, index } = await this.#call(leader, batch, flight.abort.signal);
      batch.forEach(({ resolve, reject }, position) => {
        const result = results[position];
        if (result === undefined) reject(outcomeUnknown('the leader answered too little'));
        else resolve({ result, index });
      });
    } catch (error) {
      const reason = reasonOf(error, flight);
      for (const { reject } of batch) reject(reason);
    } finally {
      this.#flights.delete(flight);
      this.#flush();
    }
  }

  async #call(
    leader: NodeId,
    batch: readonly Waiting[],
    signal: AbortSignal,
  ): ReturnType<typeof callForward> {
    const peer = this.#members.byNumber(leader)?.peer;
    if (peer === undefined) throw notLeader(0);
    return callForward(this.#network, peer, batch, signal);
  }
}

function reasonOf(error: unknown, { abort }: Flight): unknown {
  if (abort.signal.aborted) return outcomeUnknown('the leader changed meanwhile', error);
  // Not the client's fault, and final for this node only.
  return isHoldfastError(error, 'METADATA_NOT_ALLOWED', 'NETWORK_NOT_A_MEMBER') ? notAMember(error) : error;
}

function callForward(
  network: Network,
  peer: string,
  batch: readonly Waiting[],
  signal: AbortSignal,
): Promise<{ results: Committed['result'][]; index: number }> {
  const commands = batch.map(({ prepared }) => prepared.command);
  return call(network, peer, FORWARD, { commands, hops: 1 }, { signal, timeoutMs: FORWARD_TIMEOUT_MS });
}
