/** @module One client that makes empty files without pause, each of a name of its own, and remembers what became of them. */
import type { Client } from '../../src/index.ts';

export interface TouchLoad {
  readonly asked: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  /** What a caller saw; unknown outcomes are asked again within the client. */
  readonly failed: readonly unknown[];
  /** Resolves with the time of the first acknowledgement of a write begun after `sinceMs`. */
  firstAfter(sinceMs: number): Promise<number>;
  stop(): Promise<void>;
}

export function startTouchLoad(client: Client, directory: string, inFlight: number): TouchLoad {
  const asked = new Set<string>();
  const acknowledged = new Set<string>();
  const failed: unknown[] = [];
  const watchers = new Set<(begunMs: number) => void>();
  const stopping = new AbortController();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const name = `f${next++}`;
      const begunMs = performance.now();
      asked.add(name);
      try {
        await client.touch(`${directory}/${name}`);
        acknowledged.add(name);
        for (const watcher of watchers) watcher(begunMs);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: inFlight }, lane));
  return {
    asked,
    acknowledged,
    failed,
    firstAfter: (sinceMs) =>
      new Promise((resolve) => {
        const watcher = (begunMs: number): void => {
          if (begunMs < sinceMs) return;
          watchers.delete(watcher);
          resolve(performance.now());
        };
        watchers.add(watcher);
      }),
    async stop() {
      stopping.abort();
      await lanes;
    },
  };
}
