/** @module Small blocks of many files read together: one request to each datanode for all that wait. */
import type { Clock } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { NaturalBatches } from '../common/natural-batches.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { MAX_BLOCKS_TOGETHER, MAX_BYTES_TOGETHER } from '../protocol/blocks-push.ts';
import type { Holder, LocatedBlock } from '../protocol/messages.ts';
import { READ_BLOCKS } from '../protocol/methods.ts';
import { errorIn } from '../protocol/verdict.ts';
import { tooManyWaiting } from './errors.ts';
import type { ReadTimes } from './read-times.ts';

export interface SmallReadsComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly readTimes: ReadTimes;
}

/** Requests under way at once to one datanode. */
const MAX_REQUESTS_IN_FLIGHT = 4;
const MAX_WAITING = 4_096;
/** Datanodes that are read from in this way; of one more, blocks are read alone. */
const MAX_LANES = 4_096;
/** A request is late after so many times what a single block takes as a rule; then each block is read alone, and hedged. */
const LATE_FACTOR = 2;
/** A datanode too old for this way is not asked again for so long, in milliseconds. */
const OLD_NODE_MS = 60_000;

type Lane = NaturalBatches<LocatedBlock, Uint8Array | undefined>;

export class SmallReads {
  readonly #components: SmallReadsComponents;
  readonly #lanes = new Map<number, Lane>();
  readonly #oldUntilMs = new Map<number, number>();
  /** Who is asked at the end of this turn. */
  readonly #gathering = new Set<number>();

  constructor(components: SmallReadsComponents) {
    this.#components = components;
  }

  /** Whether a request to it is about to be sent anyway. */
  isGathering(node: number): boolean {
    return this.#gathering.has(node);
  }

  /**
   * The block as `holder` sent it, not verified; undefined when it was late or knows nothing of this way: then it is to be
   * read alone. Errors: what the datanode says of this block, what became of the request, the signal's reason.
   */
  async read(block: LocatedBlock, holder: Holder, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const untilMs = this.#oldUntilMs.get(holder.node);
    if (untilMs !== undefined && this.#components.clock.monotonicMs() < untilMs) return undefined;
    const lane = this.#lane(holder);
    if (lane === undefined) return undefined;
    this.#gathering.add(holder.node);
    return lane.ask(block, signal);
  }

  #lane(holder: Holder): Lane | undefined {
    const { network } = this.#components;
    if (!network.isConnected(holder.peer)) network.learn(holder.peer, holder.addresses);
    let lane = this.#lanes.get(holder.node);
    if (lane === undefined && this.#lanes.size < MAX_LANES) {
      lane = new NaturalBatches((blocks, signal) => this.#ask(blocks, holder, signal), {
        maxItems: MAX_BLOCKS_TOGETHER,
        maxWeight: MAX_BYTES_TOGETHER,
        weigh: ({ sizeBytes }) => sizeBytes,
        maxFlights: MAX_REQUESTS_IN_FLIGHT,
        maxWaiting: MAX_WAITING,
        overloaded: () => tooManyWaiting('blocks', MAX_WAITING),
      });
      this.#lanes.set(holder.node, lane);
    }
    return lane;
  }

  async #ask(
    blocks: readonly LocatedBlock[],
    { node, peer }: Holder,
    signal: AbortSignal | undefined,
  ): Promise<readonly (Uint8Array | Promise<never> | undefined)[]> {
    this.#gathering.delete(node);
    const { network, clock, readTimes } = this.#components;
    const sentMs = clock.monotonicMs();
    try {
      const request = { hashes: blocks.map(({ hash }) => hash) };
      const options = { timeoutMs: LATE_FACTOR * readTimes.hedgeMs, ...(signal && { signal }) };
      const { verdicts } = await call(network, peer, READ_BLOCKS, request, options);
      readTimes.note(node, clock.monotonicMs() - sentMs);
      return blocks.map((_block, position) => {
        const verdict = verdicts[position];
        const error = verdict && errorIn(verdict);
        return error === undefined ? verdict?.data : Promise.reject(error);
      });
    } catch (error) {
      if (isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD'))
        this.#oldUntilMs.set(node, clock.monotonicMs() + OLD_NODE_MS);
      else if (isHoldfastError(error, 'NETWORK_TIMEOUT')) readTimes.note(node, clock.monotonicMs() - sentMs);
      else throw error;
      return blocks.map(() => undefined);
    }
  }
}
