/** @module One history of clients: three machines take its log, and a model judges what they answer. */
import { expect } from 'vitest';
import type { LogEntry } from '../../src/namespace/apply-batches.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { CommandBatch, type Result, type SessionCommand } from '../../src/namespace/schema.ts';
import type { StateMachineOptions } from '../../src/namespace/state-machine.ts';
import { blockNamed, ClientModel, hashText } from './client-model.ts';
import { ClientRequests, plainly } from './client-requests.ts';
import { FULL_BLOCKS, SESSIONS, SHORT_BLOCKS, type Step } from './client-steps.ts';
import { command, START_MS } from './founded-machine.ts';
import { type Disk, memoryDisk, Replica } from './replica.ts';
import { rowComplaints } from './row-audit.ts';
import type { ModelDirectory, ModelNode } from './tree-model.ts';

const PAGE_NAMES = 2;

/** Plays one from its founding to its end. */
export async function play(history: History, steps: readonly Step[]): Promise<void> {
  try {
    for (const replica of [history.main, history.other, history.plain]) await replica.found();
    for (const session of SESSIONS) await history.take({ do: 'openSession', session, isOwner: true });
    for (const next of steps) await history.take(next);
    await history.end();
  } finally {
    await history.close();
  }
}

export class History {
  readonly model: ClientModel = new ClientModel([...FULL_BLOCKS, ...SHORT_BLOCKS]);
  /** Small, and crashes. */
  readonly main: Replica;
  /** Lags behind, and is given copies. */
  readonly other: Replica;
  /** Never writes anything. */
  readonly plain: Replica = new Replica(memoryDisk(''));
  readonly #log: LogEntry[] = [];
  readonly #results: Result[][] = [];
  readonly #requests = new ClientRequests(this.model);
  #timeMs = START_MS;
  #after = '';

  constructor(main: Disk, other: Disk, options: StateMachineOptions) {
    this.main = new Replica(main, options);
    this.other = new Replica(other);
    this.model.passTo(START_MS);
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case 'apply':
        this.#timeMs += next.passMs;
        return this.#apply(next.requests.map((each) => this.#requests.make(each)));
      case 'openSession': {
        const value = { id: next.session, owner: next.isOwner ? 'peer' : 'other' };
        // Whether one that is over was there until now, nobody could tell from the answer.
        await this.#apply([plainly(command('housekeeping', { limit: 1_000 }))]);
        this.model.forgetWhatIsOver();
        return this.#apply([plainly(command('openSession', value))]);
      }
      case 'list':
        return this.#list(this.#requests.path(next.at), next.restarts);
      case 'flush':
        return this.main.machine.flush();
      case 'crash':
        await this.main.start();
        return this.main.catchUp(this.#log, this.#results);
      case 'copy':
        return this.main.give(this.other, async () => {
          if (next.meanwhile.length > 0)
            await this.#apply(next.meanwhile.map((each) => this.#requests.make(each)));
        });
      case 'catchUp':
        return this.other.catchUp(this.#log, this.#results);
      case 'audit':
        await this.main.machine.flush();
        expect(await rowComplaints(this.main.store)).toEqual([]);
    }
  }

  /** Everything is looked at, cleaned up, and looked at again. */
  async end(): Promise<void> {
    await this.#compareTree();
    while (this.main.machine.housekeepingDue(this.model.nowMs))
      await this.#apply([plainly(command('housekeeping', { limit: 7 }))]);
    this.model.forgetWhatIsOver();
    await this.#compareTree();
    const { leases, sessions, orphans } = this.main.machine.counters();
    expect({ leases, sessions, orphans }).toEqual({
      leases: this.model.leases.size,
      sessions: this.model.sessions.size,
      orphans: 0,
    });
    await this.other.catchUp(this.#log, this.#results);
    const hash = await this.main.machine.namespaceHash();
    expect(await this.plain.machine.namespaceHash()).toEqual(hash);
    expect(await this.other.machine.namespaceHash()).toEqual(hash);
    expect(await rowComplaints(this.main.store)).toEqual([]);
  }

  async close(): Promise<void> {
    for (const { store } of [this.main, this.other, this.plain]) await store.close();
  }

  async #apply(commands: SessionCommand[]): Promise<void> {
    const format = SUPPORTED_FEATURE_LEVEL;
    const data = CommandBatch.encode({ format, timeMs: this.#timeMs, commands }).finish();
    const entry = { index: this.main.machine.appliedIndex + 1, term: 1, data };
    const [results = []] = await this.main.machine.apply([entry]);
    expect(await this.plain.machine.apply([entry])).toEqual([results]);
    this.#log.push(entry);
    this.#results.push(results);
    this.model.passTo(this.#timeMs);
    for (const [at, each] of commands.entries()) {
      const [wanted, got] = this.model.judge(each, results[at] as Result);
      expect(got, JSON.stringify(each)).toEqual(wanted);
    }
  }

  /** The next page of a listing that others do not wait for. */
  async #list(at: string, restarts: boolean): Promise<void> {
    if (restarts) this.#after = '';
    const node = this.model.nodeAt(at);
    if (node?.kind !== 'directory') {
      await expect(this.main.machine.list(at, this.#after, PAGE_NAMES)).rejects.toThrow();
      return;
    }
    const { entries, more } = await this.main.machine.list(at, this.#after, PAGE_NAMES);
    const left = namesIn(node).filter(
      (name) => Buffer.compare(Buffer.from(name), Buffer.from(this.#after)) > 0,
    );
    expect([entries.map(({ name }) => name), more]).toEqual([
      left.slice(0, PAGE_NAMES),
      left.length > PAGE_NAMES,
    ]);
    this.#after = more ? (entries.at(-1)?.name ?? '') : '';
  }

  async #compareTree(): Promise<void> {
    const { tree } = this.model;
    const { machine } = this.main;
    let bytes = 0;
    for (const { names, node } of [{ names: [], node: tree.root as ModelNode }, ...tree.all()]) {
      const at = `/${names.join('/')}`;
      const stat = await machine.stat(at, { noFollow: true });
      const [wanted, got] = this.model.compare(node, stat);
      expect(got, at).toEqual(wanted);
      bytes += stat.sizeBytes;
      if (node.kind === 'file') {
        const { blocks: has } = await machine.fileBlocks({ path: at }, 0, 10_000);
        expect(has.map(hashText), at).toEqual(node.blocks.map((name) => hashText(blockNamed(name))));
      }
      if (node.kind === 'directory') {
        const { entries } = await machine.list(at, '', 100);
        expect(entries.map(({ name }) => name)).toEqual(namesIn(node));
      }
    }
    // With nothing detached that waits to be freed, all there is can be reached.
    if (machine.counters().orphans === 0) expect(machine.counters().logicalBytes).toBe(bytes);
  }
}

function namesIn({ children }: ModelDirectory): string[] {
  return [...children.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
