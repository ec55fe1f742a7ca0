/** @module Many clients in one process, told by client-growth.ts what to do: each touches a file and looks at its directory, in turn, without pause. */
import { describeError, isHoldfastError } from '../../../src/common/errors.ts';
import { type Client, connect } from '../../../src/index.ts';

/** First of all; answered when all have a connection and a directory of their own. */
export interface ClientCrowdOrders {
  readonly profileDir: string;
  /** Number of the first. */
  readonly first: number;
  readonly clients: number;
}

/** Milliseconds of each operation. */
export interface ClientCrowdReport {
  readonly touchMs: readonly number[];
  readonly statMs: readonly number[];
  /** Of operations that failed, by code: how many. */
  readonly failed: Readonly<Record<string, number>>;
}

const clients: { readonly client: Client; readonly directory: string }[] = [];
let next = 0;

async function gather({ profileDir, first, clients: count }: ClientCrowdOrders): Promise<void> {
  for (let at = first; at < first + count; at++) {
    const directory = `/client-${at}`;
    const client = await connect({ profileDir });
    await client.mkdir(directory);
    clients.push({ client, directory });
  }
}

async function work(durationMs: number): Promise<ClientCrowdReport> {
  const report = { touchMs: [] as number[], statMs: [] as number[], failed: {} as Record<string, number> };
  const endMs = performance.now() + durationMs;
  const timed = async (into: number[], operation: () => Promise<unknown>): Promise<void> => {
    const startMs = performance.now();
    try {
      await operation();
      into.push(performance.now() - startMs);
    } catch (error) {
      const code = isHoldfastError(error) ? error.code : String(error);
      report.failed[code] = (report.failed[code] ?? 0) + 1;
      const tookMs = Math.round(performance.now() - startMs);
      process.stderr.write(`after ${tookMs} ms: ${describeError(error)}\n`);
    }
  };
  await Promise.all(
    clients.map(async ({ client, directory }) => {
      while (performance.now() < endMs) {
        const path = `${directory}/f${next++}`;
        await timed(report.touchMs, () => client.touch(path));
        // Of the directory: whether a touch that failed was done is not known.
        await timed(report.statMs, () => client.stat(directory));
      }
    }),
  );
  return report;
}

process.on('message', (order: ClientCrowdOrders | { readonly durationMs: number }) => {
  const done = 'durationMs' in order ? work(order.durationMs) : gather(order);
  void done.then((report) => process.send?.(report ?? {}));
});
process.once('disconnect', () => process.exit(0));
