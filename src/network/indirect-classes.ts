/**
 * @module Classes of traffic that go over libp2p for now, since a connection of their own did not come about. A peer that was only
 * busy, as nodes are that start together, shall not cost its cluster a multiple of the CPU time for as long as it runs.
 */
import type { Connection } from '@libp2p/interface';
import type { TrafficClass } from './network.ts';

export interface IndirectClassesComponents {
  /** Called when a class of this connection is to be tried again. */
  readonly retry: (connection: Connection) => void;
}

export interface IndirectClassesOptions {
  /** The first pause before it is tried again, in milliseconds; FIRST_PAUSE_MS when absent. It doubles up to LAST_PAUSE_MS. */
  readonly firstPauseMs?: number | undefined;
}

export const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 300_000;

interface Standing {
  pauses: number;
  isIndirect: boolean;
  isPausing: boolean;
}

export class IndirectClasses {
  readonly #components: IndirectClassesComponents;
  readonly #firstPauseMs: number;
  readonly #standings = new WeakMap<Connection, Map<TrafficClass, Standing>>();

  constructor(components: IndirectClassesComponents, options: IndirectClassesOptions = {}) {
    this.#components = components;
    this.#firstPauseMs = options.firstPauseMs ?? FIRST_PAUSE_MS;
  }

  has(connection: Connection, trafficClass: TrafficClass): boolean {
    return this.#standings.get(connection)?.get(trafficClass)?.isIndirect ?? false;
  }

  /** A connection for the class has failed. */
  add(connection: Connection, trafficClass: TrafficClass): void {
    const classes = this.#standings.get(connection) ?? new Map<TrafficClass, Standing>();
    this.#standings.set(connection, classes);
    const standing = classes.get(trafficClass) ?? { pauses: 0, isIndirect: true, isPausing: false };
    classes.set(trafficClass, standing);
    standing.isIndirect = true;
  }

  /** Order: the class has a stream of the libp2p connection instead, which is what a better way is to replace. */
  retryLater(connection: Connection, trafficClass: TrafficClass): void {
    const standing = this.#standings.get(connection)?.get(trafficClass);
    if (standing === undefined || standing.isPausing) return;
    const pauseMs = Math.min(LAST_PAUSE_MS, this.#firstPauseMs * 2 ** standing.pauses);
    standing.pauses += 1;
    standing.isPausing = true;
    AbortSignal.timeout(pauseMs).addEventListener('abort', () => {
      standing.isPausing = false;
      standing.isIndirect = false;
      if (connection.status === 'open') this.#components.retry(connection);
    });
  }
}
