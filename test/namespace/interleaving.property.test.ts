import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import {
  type PinnedRows,
  type Row,
  type RowChange,
  type RowStore,
  type TableName,
  TABLES,
} from '../../src/storage/row-store.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { CommandBatch } from '../../src/namespace/schema.ts';
import { block, command, FoundedMachine, type Request } from './founded-machine.ts';

/** A store whose answers come in an order that the test case chooses, each being the state at a moment before. */
class ScheduledRowStore implements RowStore {
  readonly #rows: RowStore;
  readonly #scheduler: fc.Scheduler;
  /** Copies of all rows after each write: what a crash just then would leave. */
  readonly crashes: RowStore[] = [];

  constructor(rows: RowStore, scheduler: fc.Scheduler) {
    this.#rows = rows;
    this.#scheduler = scheduler;
  }

  getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#scheduler.schedule(this.#rows.getMany(table, keys), 'getMany');
  }

  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    return this.#scheduler.schedule(this.#rows.scan(table, from, to, limit), 'scan');
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    await this.#rows.write(changes);
    this.crashes.push(await copyOf(this.#rows));
    await this.#scheduler.schedule(Promise.resolve(), 'write');
  }

  raiseFormat(format: number): Promise<void> {
    return this.#rows.raiseFormat(format);
  }

  pin(): Promise<PinnedRows> {
    return this.#rows.pin();
  }

  verify(path: string): Promise<void> {
    return this.#rows.verify(path);
  }

  importFrom(path: string): Promise<void> {
    return this.#rows.importFrom(path);
  }

  close(): Promise<void> {
    return this.#rows.close();
  }
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const change = fc.oneof(
  name.map((file) => command('createFile', { path: `/d/${file}`, complete: true, blocks: [block(file)] })),
  name.map((file) => command('unlink', { path: `/d/${file}` })),
  fc.tuple(name, name).map(([from, to]) => command('rename', { from: `/d/${from}`, to: `/d/${to}` })),
  fc.constant(command('housekeeping', { limit: 2 })),
);
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('apply' as const), batch: fc.array(change, { maxLength: 5 }) }),
  },
  fc.record({ do: fc.constant('flush' as const) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
);

function entry(index: number, commands: readonly Request['command'][]) {
  const requests = commands.map((next) => ({ session: '', sequence: 0, ackedBelow: 0, command: next }));
  const data = CommandBatch.encode({ format: 1, timeMs: 1, commands: requests }).finish();
  return { index, term: 1, data };
}

async function copyOf(rows: RowStore): Promise<RowStore> {
  const copy = new MemoryRowStore();
  for (const table of TABLES)
    await copy.write(
      (await rows.scan(table, '', '~', 10_000)).map(({ key, value }) => ({ table, key, value })),
    );
  return copy;
}

describe('the state machine', () => {
  it('is right in whatever order loads, flushes and reads overlap, and flushes only whole entries', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(act, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 200, max: 5000 }),
        async (scheduler, acts, cacheSizeBytes) => {
          const rows = new MemoryRowStore();
          const founding = await FoundedMachine.create(rows);
          await founding.do('makeDirectory', { path: '/d' });
          await founding.machine.flush();
          const store = new ScheduledRowStore(rows, scheduler);
          const options = { cacheSizeBytes, maxDirtyRows: 1000 };
          const machine = await scheduler.waitFor(StateMachine.open({ store }, options));
          const log = [];
          const pending: Promise<unknown>[] = [];
          for (const next of acts) {
            if (next.do === 'apply') {
              log.push(entry(founding.index + log.length + 1, next.batch));
              pending.push(machine.apply(log.slice(-1)));
            } else if (next.do === 'flush') {
              pending.push(machine.flush());
            } else if (next.do === 'answer') {
              await new Promise((resolve) => setImmediate(resolve));
              if (scheduler.count() > 0) await scheduler.waitOne();
            } else {
              pending.push(
                machine.list('/d', '', 100).then(({ directory, entries }) => {
                  expect(entries).toHaveLength(directory.childCount);
                  for (const { name: listed, stat } of entries) expect(stat?.path).toBe(`/d/${listed}`);
                }),
              );
            }
          }
          await scheduler.waitFor(Promise.all(pending));

          const plain = await FoundedMachine.create();
          await plain.do('makeDirectory', { path: '/d' });
          await plain.machine.apply(log);
          const wanted = await plain.machine.namespaceHash();
          expect(await scheduler.waitFor(machine.namespaceHash())).toEqual(wanted);
          // Each state that was durable was that of one index: with the rest of the log it becomes the same.
          for (const crashed of store.crashes) {
            const resumed = await StateMachine.open({ store: crashed });
            await resumed.apply(log.filter(({ index }) => index > resumed.appliedIndex));
            expect(await resumed.namespaceHash()).toEqual(wanted);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
