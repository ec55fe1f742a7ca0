/**
 * @module Asks the datanodes themselves who holds a block, while the location index does not know yet: a cluster whose metadata
 * nodes were all restarted serves reads before it has sorted out what is where.
 */
import type { DatanodeInquiry } from '../../dht/ports.ts';
import { fromHex } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { Member } from '../namespace/schema.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { COPIES } from '../protocol/methods.ts';
import type { DatanodeStates } from './datanode-states.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface BlockInquiryComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly states: Pick<DatanodeStates, 'liveness'>;
  readonly logger: Logger;
}

/** In one question; datanodes take no more. */
const HASHES_PER_QUESTION = 1_024;
/** Hashes that wait for one datanode; what comes beyond is looked for in the index alone. */
export const MAX_WAITING_HASHES = 4_096;
const QUESTION_TIMEOUT_MS = 2_000;
const GOOD = 'good';

/**
 * A datanode gets one question at a time; what is asked for meanwhile is gathered into the next. However many clients
 * read, there are thus no more questions than datanodes under way.
 */
export class BlockInquiry implements DatanodeInquiry {
  readonly #components: BlockInquiryComponents;
  readonly #lanes = new Map<number, Lane>();

  constructor(components: BlockInquiryComponents) {
    this.#components = components;
  }

  /**
   * Datanodes that say they have a good copy, by hash. Ends with the last answer, or once there is one holder of each.
   * Who does not answer in time is passed over. Rejects with the signal's reason only.
   */
  async holders(
    hashes: readonly BlockHash[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<BlockHash, readonly number[]>> {
    const found = new Map<BlockHash, number[]>();
    const { members, states } = this.#components;
    const asked = members.withRole('data').filter(({ number }) => states.liveness(number) !== 'dead');
    const end = Promise.withResolvers<void>();
    const onAbort = (): void => end.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const answers = asked.map(async (datanode) => {
      for (const hash of await this.#lane(datanode).ask(hashes))
        found.set(hash, [...(found.get(hash) ?? []), datanode.number]);
      if (hashes.every((hash) => found.has(hash))) end.resolve();
    });
    Promise.all(answers).then(() => end.resolve(), end.reject);
    try {
      await end.promise;
      return new Map(found);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #lane(datanode: Member): Lane {
    let lane = this.#lanes.get(datanode.number);
    if (lane === undefined) {
      const idle = (): void => void this.#lanes.delete(datanode.number);
      this.#lanes.set(datanode.number, (lane = new Lane(this.#components, { datanode, idle })));
    }
    return lane;
  }
}

interface LaneOptions {
  readonly datanode: Member;
  /** Called when nothing is asked any more: the lane is not used again. */
  readonly idle: () => void;
}

/** A question that is being gathered. */
interface Question {
  readonly hashes: Set<BlockHash>;
  readonly answer: PromiseWithResolvers<ReadonlySet<BlockHash>>;
}

class Lane {
  readonly #components: BlockInquiryComponents;
  readonly #options: LaneOptions;
  #next: Question | undefined;
  #isRunning = false;

  constructor(components: BlockInquiryComponents, options: LaneOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Those of `wanted`, and maybe others, that the datanode has. Never rejects. */
  async ask(wanted: readonly BlockHash[]): Promise<readonly BlockHash[]> {
    this.#next ??= { hashes: new Set(), answer: Promise.withResolvers() };
    const { hashes, answer } = this.#next;
    for (const hash of wanted) if (hashes.size < MAX_WAITING_HASHES) hashes.add(hash);
    if (!this.#isRunning) void this.#run();
    const held = await answer.promise;
    return wanted.filter((hash) => held.has(hash));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let question = this.#next; question !== undefined; question = this.#next) {
      this.#next = undefined;
      question.answer.resolve(await this.#held([...question.hashes]));
    }
    this.#options.idle();
  }

  async #held(hashes: readonly BlockHash[]): Promise<ReadonlySet<BlockHash>> {
    const { network, logger } = this.#components;
    const { peer, addresses, number } = this.#options.datanode;
    const held = new Set<BlockHash>();
    try {
      if (!network.isConnected(peer) && addresses.length > 0) network.learn(peer, addresses);
      for (let at = 0; at < hashes.length; at += HASHES_PER_QUESTION) {
        const asked = hashes.slice(at, at + HASHES_PER_QUESTION);
        const request = { hashes: asked.map(fromHex), verify: false };
        const { copies } = await call(network, peer, COPIES, request, { timeoutMs: QUESTION_TIMEOUT_MS });
        asked.forEach((hash, position) => copies[position]?.state === GOOD && held.add(hash));
      }
    } catch (error) {
      logger.debug('block.inquiry-failed', { datanode: number, error: describeError(error) });
    }
    return held;
  }
}
