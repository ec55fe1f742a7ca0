/** @module Exchanges heartbeats with the neighbours on the ring of datanodes, and knows which of them are silent. */
import type { Clock, Timer } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Member } from '../namespace/schema.ts';
import { call, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { HELLO } from '../protocol/methods.ts';
import type { MemberDirectory } from './member-directory.ts';
import { neighbours } from './node-ring.ts';

export interface NeighbourWatchComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface NeighbourWatchOptions {
  readonly number: number;
  /** Called when somebody falls silent: the metadata nodes shall hear it before the next heartbeat. */
  readonly onSilence: () => void;
}

/** Whatever the size of the cluster: four calls in this time, in milliseconds. */
export const WATCH_PERIOD_MS = 1_000;
/** Silence that is reported: three exchanges missed. */
export const NEIGHBOUR_SILENT_MS = 3_000;
/** What a peer says that runs, but does not know the question, or not yet who asks. */
const ANSWERS: readonly string[] = ['NETWORK_NO_SUCH_METHOD', 'NETWORK_NOT_A_MEMBER'];

const NO_RING = { members: [], next: [] };

export class NeighbourWatch {
  readonly #components: NeighbourWatchComponents;
  readonly #options: NeighbourWatchOptions;
  readonly #stopping = new AbortController();
  /** Neighbour -> when it was last heard; for one that is new, when it became a neighbour. */
  #heardMs = new Map<number, number>();
  readonly #asking = new Map<number, Promise<void>>();
  #silent: readonly number[] = [];
  /** Whom to watch, by the members as they were at the last look: thousands need not be sorted every second. */
  #ring: { readonly members: readonly Member[]; readonly next: readonly Member[] } = NO_RING;
  #timer: Timer | undefined;

  constructor(components: NeighbourWatchComponents, options: NeighbourWatchOptions) {
    this.#components = components;
    this.#options = options;
  }

  start(): void {
    serve(this.#components.network, HELLO, async () => ({ wallMs: this.#components.clock.wallMs() }));
    this.#timer = this.#components.clock.every(WATCH_PERIOD_MS, () => this.#look());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await Promise.all(this.#asking.values());
  }

  /** Numbers of neighbours that were not heard for NEIGHBOUR_SILENT_MS. */
  silent(): readonly number[] {
    return this.#silent;
  }

  #look(): void {
    const { members, clock } = this.#components;
    const listed = members.members();
    if (this.#ring.members !== listed) this.#ring = { members: listed, next: this.#neighboursAmong(listed) };
    const { next } = this.#ring;
    const nowMs = clock.monotonicMs();
    this.#heardMs = new Map(next.map(({ number }) => [number, this.#heardMs.get(number) ?? nowMs]));
    for (const { number, peer } of next) this.#ask(number, peer);
    const silent = next
      .map(({ number }) => number)
      .filter((number) => nowMs - (this.#heardMs.get(number) ?? nowMs) >= NEIGHBOUR_SILENT_MS);
    const isNews = silent.some((number) => !this.#silent.includes(number));
    this.#silent = silent;
    if (isNews) this.#options.onSilence();
  }

  #neighboursAmong(listed: readonly Member[]): readonly Member[] {
    // The dead are known; whoever lives beyond them on the ring must not go unwatched.
    const watched = listed.filter(({ roles, liveness }) => roles.includes('data') && liveness !== 'dead');
    const byNumber = new Map(watched.map((member) => [member.number, member]));
    const numbers = neighbours([...byNumber.keys()], this.#options.number);
    return numbers.flatMap((number) => byNumber.get(number) ?? []);
  }

  #ask(number: number, peer: string): void {
    if (this.#stopping.signal.aborted || this.#asking.has(number)) return;
    const { network, logger } = this.#components;
    const options = { signal: this.#stopping.signal, timeoutMs: NEIGHBOUR_SILENT_MS };
    const asking = call(network, peer, HELLO, {}, options)
      .then(
        () => this.#hear(number),
        (error: unknown) => {
          if (isHoldfastError(error, ...ANSWERS)) this.#hear(number);
          else logger.debug('datanode.neighbour-silent', { neighbour: number, error: describeError(error) });
        },
      )
      .finally(() => this.#asking.delete(number));
    this.#asking.set(number, asking);
  }

  #hear(number: number): void {
    if (this.#heardMs.has(number)) this.#heardMs.set(number, this.#components.clock.monotonicMs());
  }
}
