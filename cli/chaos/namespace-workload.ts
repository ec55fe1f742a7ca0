/** @module Names: several clients make, move, list and remove files and directories in the same few places. */
import type { Client } from '../../src/index.ts';
import type { HistoryFile } from './history-file.ts';
import type { Recorder } from './recorder.ts';
import type { Worker, Workload } from './workload.ts';

const DIRECTORY = '/names';
/** Directories that nothing is moved out of, so that each has a history of its own. */
const TREES: readonly string[] = ['t1', 't2', 't3'];
/** Below a tree: few, so that they meet. */
const PATHS: readonly string[] = ['a', 'b', 'c', 'a/x', 'b/x', 'b/y'];

/** Refusals that depend on nothing but the tree: the checker's model knows which is due when. */
const ANSWERS: readonly string[] = [
  'NAMESPACE_NOT_FOUND',
  'NAMESPACE_EXISTS',
  'NAMESPACE_NOT_A_DIRECTORY',
  'NAMESPACE_IS_A_DIRECTORY',
  'NAMESPACE_NOT_EMPTY',
  'NAMESPACE_INTO_ITSELF',
];

type Kind = 'mkdir' | 'rmdir' | 'put' | 'unlink' | 'rename' | 'list' | 'stat';
const WORK: readonly Kind[] = [
  'mkdir',
  'mkdir',
  'rmdir',
  'put',
  'put',
  'unlink',
  'rename',
  'rename',
  'list',
  'list',
  'stat',
];

interface Request {
  readonly kind: Kind;
  readonly tree: string;
  /** Below the tree; '' for the tree itself. */
  readonly path: string;
  /** Of a rename. */
  readonly to?: string;
  /** Of a put: the file's time, which tells it from all others. */
  readonly value?: number;
}

export class NamespaceWorkload implements Workload {
  readonly name = 'names';
  readonly workers = 4;
  readonly #recorder: Recorder;
  readonly #history: HistoryFile;
  #lastValue = 0;

  constructor(components: { readonly recorder: Recorder; readonly history: HistoryFile }) {
    this.#recorder = components.recorder;
    this.#history = components.history;
  }

  async setUp(client: Client): Promise<void> {
    for (const tree of TREES) await client.mkdir(`${DIRECTORY}/${tree}`, { parents: true });
  }

  async one(worker: Worker): Promise<void> {
    const { choice } = worker;
    const kind = choice.pick(WORK);
    const tree = choice.pick(TREES);
    const path = kind === 'list' && choice.fraction() < 0.5 ? '' : choice.pick(PATHS);
    const request = { kind, tree, path };
    if (kind === 'rename') return this.#do(worker, { ...request, to: choice.pick(PATHS) });
    if (kind !== 'put') return this.#do(worker, request);
    this.#lastValue += 1;
    return this.#do(worker, { ...request, value: this.#lastValue });
  }

  async lookAtAll(worker: Worker): Promise<void> {
    for (const tree of TREES) {
      for (const path of ['', 'a', 'b', 'c']) await this.#do(worker, { kind: 'list', tree, path });
      for (const path of PATHS) await this.#do(worker, { kind: 'stat', tree, path });
    }
  }

  async #do(worker: Worker, request: Request): Promise<void> {
    const attempt = await this.#recorder.attempt(() => carryOut(worker.client, request));
    const { outcome, start, end } = attempt;
    const add = (answer: object): void =>
      this.#history.add({ client: worker.id, call: { ...request, answer }, start, end });
    if (outcome === 'done') add({ isDone: true, ...attempt.value });
    else if (outcome === 'unknown') this.#history.add({ client: worker.id, call: request, start });
    else if (ANSWERS.includes(attempt.code)) add({ isDone: false, code: attempt.code });
  }
}

/** What was found, of those that look. */
async function carryOut(client: Client, { kind, tree, path, to = '', value = 0 }: Request): Promise<object> {
  const at = (below: string): string => `${DIRECTORY}/${tree}${below === '' ? '' : `/${below}`}`;
  switch (kind) {
    case 'mkdir':
      return done(client.mkdir(at(path)));
    case 'rmdir':
      return done(client.rmdir(at(path)));
    case 'put':
      return done(client.put(at(path), new Uint8Array(0), { mtimeMs: value }));
    case 'unlink':
      return done(client.unlink(at(path)));
    case 'rename':
      return done(client.rename(at(path), at(to)));
    case 'list': {
      const names: string[] = [];
      for await (const { name } of client.list(at(path))) names.push(name);
      return { names };
    }
    case 'stat': {
      const stat = await client.stat(at(path));
      return stat.kind === 'file' ? { found: 'file', value: stat.mtimeMs } : { found: stat.kind };
    }
  }
}

async function done(change: Promise<unknown>): Promise<object> {
  await change;
  return {};
}
