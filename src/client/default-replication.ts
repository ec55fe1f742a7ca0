/** @module How many copies a new file gets when nobody says: asked of the directory it will be in. */
import type { Clock } from '../common/clock.ts';
import { orAborted } from '../common/deadline.ts';
import { isHoldfastError } from '../common/errors.ts';
import { activeLevel } from '../namespace/feature-level.ts';
import { joinPath, splitPath } from '../namespace/path.ts';
import type { Cluster } from '../namespace/schema.ts';
import type { OperationOptions } from './client-options.ts';
import type { GatheredReads } from './gathered-reads.ts';

export interface DefaultReplicationComponents {
  readonly reads: GatheredReads;
  readonly cluster: () => Promise<Cluster>;
  readonly clock: Clock;
}

/** For so long an answer counts, in milliseconds: a directory that takes many files is not asked for each of them. */
const KNOWN_MS = 1_000;
/** Directories remembered, at most. */
const MAX_KNOWN = 1_024;

interface Known {
  readonly copies: Promise<number>;
  readonly untilMs: number;
}

export class DefaultReplication {
  readonly #components: DefaultReplicationComponents;
  readonly #known = new Map<string, Known>();
  #staleFromMs = Number.NEGATIVE_INFINITY;

  constructor(components: DefaultReplicationComponents) {
    this.#components = components;
  }

  /**
   * What the nearest existing directory above `path` says. Placement needs it before the file exists; the namespace decides
   * anew when it is made, so an answer that is a little old does no harm: a difference is told, and made up, like any missing
   * copy. A read that waits for what was committed last would cost more than all the rest of a small put.
   */
  async of(path: string, { signal }: OperationOptions): Promise<number> {
    const cluster = await this.#components.cluster();
    const { defaultReplication } = cluster;
    // Below this level directories say nothing.
    if (activeLevel(cluster) < 2) return defaultReplication;
    const inherited = this.#inherited(splitPath(path).slice(0, -1));
    return (await (signal === undefined ? inherited : orAborted(inherited, signal))) || defaultReplication;
  }

  /** This client has changed what directories say, and does not want to hear from a node that has not heard of it. */
  forget(): void {
    this.#known.clear();
    this.#staleFromMs = this.#components.clock.monotonicMs() + KNOWN_MS;
  }

  #inherited(directory: readonly string[]): Promise<number> {
    const key = joinPath(directory);
    const nowMs = this.#components.clock.monotonicMs();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.copies;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const copies = this.#ask(directory, nowMs >= this.#staleFromMs);
    this.#known.set(key, { copies, untilMs: nowMs + KNOWN_MS });
    copies.catch(() => this.#known.delete(key));
    return copies;
  }

  /** 0 when no directory says anything. */
  async #ask(directory: readonly string[], stale: boolean): Promise<number> {
    for (let above = directory; ; above = above.slice(0, -1)) {
      try {
        const request = { path: joinPath(above), stale };
        return (await this.#components.reads.stat(request, {})).inheritedReplication;
      } catch (error) {
        if (above.length === 0 || !isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_A_DIRECTORY'))
          throw error;
      }
    }
  }
}
