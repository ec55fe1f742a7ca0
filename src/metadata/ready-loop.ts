/** @module Runs one Ready after the other for as long as the core has any. */
import type { RawNode } from '../../raft/raw-node.ts';
import type { Ready } from '../../raft/types.ts';

export interface ReadyLoopComponents {
  readonly core: RawNode;
  /** Gives the core what waits for it. */
  readonly feed: () => void;
  /** Does what a Ready orders. */
  readonly handle: (ready: Ready) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** One Ready at a time is outstanding; what happens meanwhile waits for the next one. */
export class ReadyLoop {
  readonly #components: ReadyLoopComponents;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(components: ReadyLoopComponents) {
    this.#components = components;
  }

  /** Runs after everything that happens in this turn, so that the proposals of one turn share an entry. */
  wake(): void {
    if (this.#running === undefined && !this.#stopped) this.#running = this.#run();
  }

  /** No further Ready is begun. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when the outstanding Ready is done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Never rejects. The end follows upon the last look at the core in one go: what comes after it wakes the loop again. */
  async #run(): Promise<void> {
    const { core, feed, handle, failed } = this.#components;
    await undefined;
    try {
      while (!this.#stopped) {
        feed();
        if (!core.hasReady()) return;
        await handle(core.ready());
        if (this.#stopped) return;
        core.advance();
      }
    } catch (error) {
      failed(error);
    } finally {
      this.#running = undefined;
    }
  }
}
