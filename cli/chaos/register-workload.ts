/** @module Files as registers: several clients read, replace, and replace only the version they have read. */
import type { Client } from '../../src/index.ts';
import type { HistoryFile } from './history-file.ts';
import { readWhole } from './read-whole.ts';
import type { Recorder } from './recorder.ts';
import type { Worker, Workload } from './workload.ts';

const DIRECTORY = '/registers';
const KEYS: readonly string[] = ['r1', 'r2', 'r3', 'r4'];
/** What each begins with; all that is written later is a larger number, and no two are alike. */
const FIRST_VALUE = 0;

interface Seen {
  readonly value: number;
  readonly version: number;
}

export class RegisterWorkload implements Workload {
  readonly name = 'registers';
  readonly workers = 5;
  readonly #recorder: Recorder;
  readonly #history: HistoryFile;
  /** By worker and key: what it read last. */
  readonly #seen = new Map<string, Seen>();
  #lastValue = FIRST_VALUE;

  constructor(components: { readonly recorder: Recorder; readonly history: HistoryFile }) {
    this.#recorder = components.recorder;
    this.#history = components.history;
  }

  async setUp(client: Client): Promise<void> {
    await client.mkdir(DIRECTORY);
    for (const key of KEYS) await client.put(pathOf(key), encode(FIRST_VALUE));
  }

  async one(worker: Worker): Promise<void> {
    const key = worker.choice.pick(KEYS);
    const seen = this.#seen.get(`${worker.id} ${key}`);
    const share = worker.choice.fraction();
    if (share < 0.5) return this.#read(worker, key);
    if (share < 0.75 || seen === undefined) return this.#write(worker, key);
    return this.#replace(worker, key, seen);
  }

  async lookAtAll(worker: Worker): Promise<void> {
    for (const key of KEYS) await this.#read(worker, key);
  }

  async #read({ id, client }: Worker, key: string): Promise<void> {
    const attempt = await this.#recorder.attempt(async (): Promise<Seen> => {
      const { stat, bytes } = await client.get(pathOf(key));
      return { value: decode(await readWhole(bytes)), version: stat.version };
    });
    const { start, end } = attempt;
    if (attempt.outcome === 'done') {
      this.#seen.set(`${id} ${key}`, attempt.value);
      this.#history.add({ client: id, call: { kind: 'read', key, value: attempt.value.value }, start, end });
    } else if (attempt.code === 'NAMESPACE_NOT_FOUND')
      this.#history.add({ client: id, call: { kind: 'read', key, value: null }, start, end });
  }

  async #write({ id, client }: Worker, key: string): Promise<void> {
    const value = this.#newValue();
    const { outcome, start, end } = await this.#recorder.attempt(() =>
      client.put(pathOf(key), encode(value)),
    );
    const operation = { client: id, call: { kind: 'write', key, value }, start };
    if (outcome === 'done') this.#history.add({ ...operation, end });
    else if (outcome === 'unknown') this.#history.add(operation);
  }

  /** Values are never written twice, so that the version it read stands for the value it read. */
  async #replace({ id, client }: Worker, key: string, { value: from, version }: Seen): Promise<void> {
    const to = this.#newValue();
    const attempt = await this.#recorder.attempt(() =>
      client.put(pathOf(key), encode(to), { ifVersion: version }),
    );
    const { outcome, start, end } = attempt;
    const call = { kind: 'cas', key, from, to };
    if (outcome === 'done') this.#history.add({ client: id, call: { ...call, isDone: true }, start, end });
    else if (outcome === 'unknown') this.#history.add({ client: id, call, start });
    else if (attempt.code === 'NAMESPACE_VERSION_MISMATCH')
      this.#history.add({ client: id, call: { ...call, isDone: false }, start, end });
  }

  #newValue(): number {
    this.#lastValue += 1;
    return this.#lastValue;
  }
}

function pathOf(key: string): string {
  return `${DIRECTORY}/${key}`;
}

function encode(value: number): Uint8Array {
  return new TextEncoder().encode(String(value));
}

function decode(bytes: Uint8Array): number {
  return Number(new TextDecoder().decode(bytes));
}
