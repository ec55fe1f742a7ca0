/** @module Questions about many paths: those of one turn, and those that come meanwhile, travel together. */
import { isHoldfastError } from '../common/errors.ts';
import { NaturalBatches } from '../common/natural-batches.ts';
import type { Stat } from '../namespace/schema.ts';
import type { ReadPlanRequest, ReadPlanResponse, StatRequest } from '../protocol/messages.ts';
import { READ_PLAN, READ_PLANS, STAT, STAT_MANY } from '../protocol/methods.ts';
import { errorIn } from '../protocol/verdict.ts';
import { tooManyWaiting } from './errors.ts';
import type { AskOptions, MetadataPeers } from './metadata-peers.ts';
import { statOf } from './result.ts';

/** Of one message. */
const MAX_TOGETHER = 256;
const MAX_REQUESTS_IN_FLIGHT = 4;
const MAX_WAITING = 65_536;

export class GatheredReads {
  readonly #metadata: MetadataPeers;
  readonly #stats: NaturalBatches<StatRequest, Stat>;
  readonly #plans: NaturalBatches<ReadPlanRequest, ReadPlanResponse>;

  constructor(metadata: MetadataPeers) {
    this.#metadata = metadata;
    this.#stats = new NaturalBatches((requests, signal) => this.#stat(requests, signal), {
      maxItems: MAX_TOGETHER,
      maxFlights: MAX_REQUESTS_IN_FLIGHT,
      // One that makes do with what is there must not wait for a majority.
      mayShare: (first, request) => first.stale === request.stale,
      maxWaiting: MAX_WAITING,
      overloaded: () => tooManyWaiting('questions', MAX_WAITING),
    });
    this.#plans = new NaturalBatches((requests, signal) => this.#plan(requests, signal), {
      maxItems: MAX_TOGETHER,
      maxFlights: MAX_REQUESTS_IN_FLIGHT,
      mayShare: (first, request) => first.stale === request.stale,
      maxWaiting: MAX_WAITING,
      overloaded: () => tooManyWaiting('questions', MAX_WAITING),
    });
  }

  /** Errors: as of MetadataPeers.ask. */
  stat(request: StatRequest, { signal }: AskOptions): Promise<Stat> {
    return this.#stats.ask(request, signal);
  }

  /** The first page of a file's blocks, of whatever file is at the path. Errors: as of MetadataPeers.ask. */
  plan(request: ReadPlanRequest, { signal }: AskOptions): Promise<ReadPlanResponse> {
    return this.#plans.ask(request, signal);
  }

  async #plan(
    requests: readonly ReadPlanRequest[],
    signal: AbortSignal | undefined,
  ): Promise<(ReadPlanResponse | Promise<ReadPlanResponse>)[]> {
    const options = { signal, patience: this.#metadata.patience() };
    const alone = (request: ReadPlanRequest): Promise<ReadPlanResponse> =>
      this.#metadata.ask(READ_PLAN, request, options);
    const [first] = requests;
    if (first !== undefined && requests.length === 1) return [await alone(first)];
    const { verdicts, holders } = await this.#metadata
      .ask(READ_PLANS, { requests: [...requests] }, { ...options, isOptional: true })
      .catch((error: unknown) => {
        if (isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD')) return { verdicts: [], holders: [] };
        throw error;
      });
    return requests.map((request, position) => {
      const verdict = verdicts[position];
      if (verdict?.plan !== undefined) return { ...verdict.plan, holders };
      const error = verdict && errorIn(verdict);
      return error?.kind === 'refused' ? Promise.reject(error) : alone(request);
    });
  }

  async #stat(
    requests: readonly StatRequest[],
    signal: AbortSignal | undefined,
  ): Promise<(Stat | Promise<Stat>)[]> {
    const options = { signal, patience: this.#metadata.patience() };
    const alone = async (request: StatRequest): Promise<Stat> =>
      statOf('stat', (await this.#metadata.ask(STAT, request, options)).stat);
    const [first] = requests;
    if (first !== undefined && requests.length === 1) return [await alone(first)];
    const { verdicts } = await this.#metadata
      .ask(STAT_MANY, { requests: [...requests] }, { ...options, isOptional: true })
      .catch((error: unknown) => {
        if (isHoldfastError(error, 'NETWORK_NO_SUCH_METHOD')) return { verdicts: [] };
        throw error;
      });
    return requests.map((request, position) => {
      const verdict = verdicts[position];
      if (verdict?.stat !== undefined) return verdict.stat;
      const error = verdict && errorIn(verdict);
      return error?.kind === 'refused' ? Promise.reject(error) : alone(request);
    });
  }
}
