/** @module Goes on looking for a way around a relay while a peer is reached over one: at once, then after pauses that double. */
import type { Connection } from '@libp2p/interface';
import type { Logger } from '../common/logger.ts';
import { describeDialFailure } from './errors.ts';
import type { PeerId } from './network.ts';

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 600_000;

export interface PathUpgradesComponents {
  /** The connection over a relay, while there is none better. */
  readonly relayed: (peer: PeerId) => Connection | undefined;
  /** Throws when no better connection came of it. */
  readonly meet: (connection: Connection, signal: AbortSignal) => Promise<Connection>;
  readonly logger: Logger;
}

interface Attempts {
  failures: number;
  /** Of the next attempt. */
  timer: NodeJS.Timeout | undefined;
  running: Promise<void> | undefined;
}

export class PathUpgrades {
  readonly #components: PathUpgradesComponents;
  /** Only of peers that are reached over a relay. */
  readonly #peers = new Map<PeerId, Attempts>();
  readonly #stopping = new AbortController();

  constructor(components: PathUpgradesComponents) {
    this.#components = components;
  }

  /** Starts looking where nobody does, and resolves when that has come to something, or nothing, or the time is up. Never throws. */
  async within(peer: PeerId, patienceMs: number): Promise<void> {
    const attempts = this.#peers.get(peer) ?? { failures: 0, timer: undefined, running: undefined };
    this.#peers.set(peer, attempts);
    if (attempts.running === undefined && attempts.timer === undefined) this.#try(peer, attempts);
    if (attempts.running === undefined) return;
    const isLate = Promise.withResolvers<void>();
    const timer = setTimeout(isLate.resolve, patienceMs);
    await Promise.race([attempts.running, isLate.promise]);
    clearTimeout(timer);
  }

  /** What failed before may work now. */
  forgetFailures(): void {
    for (const [peer, attempts] of this.#peers) {
      attempts.failures = 0;
      if (attempts.timer === undefined) continue;
      clearTimeout(attempts.timer);
      this.#try(peer, attempts);
    }
  }

  stop(): void {
    this.#stopping.abort();
    for (const { timer } of this.#peers.values()) clearTimeout(timer);
    this.#peers.clear();
  }

  #try(peer: PeerId, attempts: Attempts): void {
    attempts.timer = undefined;
    const connection = this.#stopping.signal.aborted ? undefined : this.#components.relayed(peer);
    if (connection === undefined) return void this.#peers.delete(peer);
    attempts.running = this.#components
      .meet(connection, this.#stopping.signal)
      .then(
        () => void this.#peers.delete(peer),
        (error: unknown) => this.#failed(peer, attempts, error),
      )
      .finally(() => (attempts.running = undefined));
  }

  #failed(peer: PeerId, attempts: Attempts, error: unknown): void {
    const { logger } = this.#components;
    logger.debug('network.stays-relayed', {
      peer,
      failures: attempts.failures,
      cause: describeDialFailure(error),
    });
    if (this.#stopping.signal.aborted) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts.failures, 10));
    attempts.failures += 1;
    attempts.timer = setTimeout(() => this.#try(peer, attempts), pauseMs).unref();
  }
}
