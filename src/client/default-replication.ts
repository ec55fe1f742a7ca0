/** @module How many copies a new file gets when nobody says: asked of the directory it will be in. */
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
}

export class DefaultReplication {
  readonly #components: DefaultReplicationComponents;
  /** By directory: many small files that go into one ask once. Bounded by the puts under way. */
  readonly #underWay = new Map<string, Promise<number>>();

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

  #inherited(directory: readonly string[]): Promise<number> {
    const key = joinPath(directory);
    let asked = this.#underWay.get(key);
    if (asked === undefined) {
      asked = this.#ask(directory).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, asked);
    }
    return asked;
  }

  /** 0 when no directory says anything. */
  async #ask(directory: readonly string[]): Promise<number> {
    for (let above = directory; ; above = above.slice(0, -1)) {
      try {
        const request = { path: joinPath(above), stale: true };
        return (await this.#components.reads.stat(request, {})).inheritedReplication;
      } catch (error) {
        if (above.length === 0 || !isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_A_DIRECTORY'))
          throw error;
      }
    }
  }
}
