/** @module Shared names: what several clients see of the same few files and directories is linearizable. */
import { isHoldfastError } from '../../src/common/errors.ts';
import { checkHistory } from '../checks/linearizability.ts';
import {
  type NamespaceAnswer,
  type NamespaceCall,
  namespaceModel,
  type NamespaceRefusal,
} from '../checks/namespace-model.ts';
import type { Operation } from '../checks/operation.ts';
import { describeViolation } from '../checks/violation-text.ts';
import type { Journal } from '../cluster/journal.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const TREES: readonly string[] = ['/shared-1', '/shared-2'];
/** Below a tree: few, so that they meet. */
const PATHS: readonly string[] = ['a', 'b', 'a/x', 'b/x', 'b/y'];
const WORK: readonly NamespaceCall['kind'][] = [
  'mkdir',
  'mkdir',
  'rmdir',
  'put',
  'put',
  'unlink',
  'rename',
  'rename',
  'list',
  'stat',
];
const REFUSALS: readonly NamespaceRefusal[] = [
  'NAMESPACE_NOT_FOUND',
  'NAMESPACE_EXISTS',
  'NAMESPACE_NOT_A_DIRECTORY',
  'NAMESPACE_IS_A_DIRECTORY',
  'NAMESPACE_NOT_EMPTY',
  'NAMESPACE_INTO_ITSELF',
];

export class SharedNames implements Workload {
  readonly #journal: Journal;
  readonly #operations: Operation<NamespaceCall>[] = [];

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp({ client }: Actor): Promise<void> {
    for (const tree of TREES) await client.mkdir(tree);
  }

  async step(actor: Actor): Promise<void> {
    const { random } = actor;
    const call = { kind: random.pick(WORK), tree: random.pick(TREES), path: random.pick(PATHS) };
    if (call.kind === 'rename') return this.#record(actor, { ...call, to: random.pick(PATHS) });
    if (call.kind === 'put') return this.#record(actor, { ...call, value: this.#journal.newValue() });
    return this.#record(actor, call);
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const actor of actors)
      for (const tree of TREES) {
        await this.#record(actor, { kind: 'list', tree, path: '' });
        for (const path of PATHS) await this.#record(actor, { kind: 'stat', tree, path });
      }
    const { violation } = checkHistory(namespaceModel, this.#operations);
    if (violation !== undefined) this.#journal.violate(describeViolation(namespaceModel, violation));
  }

  async #record(actor: Actor, call: NamespaceCall): Promise<void> {
    const client = actor.id;
    const start = this.#journal.instant();
    const what = namespaceModel.describe(call);
    const attempt = await this.#journal.attempt({ client, what, mayRefuse: REFUSALS }, () =>
      perform(actor, call),
    );
    const end = this.#journal.instant();
    if (attempt.outcome === 'done')
      this.#operations.push({ client, call: { ...call, answer: attempt.value }, start, end });
    else if (attempt.outcome === 'unknown') this.#operations.push({ client, call, start });
    else if (isHoldfastError(attempt.error, ...REFUSALS)) {
      const code = attempt.error.code as NamespaceRefusal;
      this.#operations.push({ client, call: { ...call, answer: { isDone: false, code } }, start, end });
    }
  }
}

async function perform(
  { client }: Actor,
  { kind, tree, path, to = '', value = 0 }: NamespaceCall,
): Promise<NamespaceAnswer> {
  const at = `${tree}/${path}`;
  switch (kind) {
    case 'mkdir':
      return done(client.mkdir(at));
    case 'rmdir':
      return done(client.rmdir(at));
    case 'put':
      return done(client.put(at, new Uint8Array(0), { mtimeMs: value }));
    case 'unlink':
      return done(client.unlink(at));
    case 'rename':
      return done(client.rename(at, `${tree}/${to}`));
    case 'list': {
      const names: string[] = [];
      for await (const { name } of client.list(path === '' ? tree : at)) names.push(name);
      return { isDone: true, names };
    }
    case 'stat': {
      const stat = await client.stat(at);
      if (stat.kind === 'directory') return { isDone: true, found: 'directory' };
      return { isDone: true, found: 'file', value: stat.mtimeMs };
    }
  }
}

async function done(change: Promise<unknown>): Promise<NamespaceAnswer> {
  await change;
  return { isDone: true };
}
