import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchPart } from '../../../simulations/checks/linearizability.ts';
import {
  type NamespaceAnswer,
  type NamespaceCall,
  namespaceModel,
  type NamespaceRefusal,
} from '../../../simulations/checks/namespace-model.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';
import { isHoldfastError } from '../../../src/common/errors.ts';
import { FoundedMachine, outcome } from '../../namespace/founded-machine.ts';
import { isLinearizableByForce } from './brute-force.ts';

const TREE = 't';
const PATHS = ['a', 'b', 'a/x', 'b/x', 'a/x/y'];
const path = fc.constantFrom(...PATHS);

const requests: fc.Arbitrary<NamespaceCall> = fc.oneof(
  ...(['mkdir', 'mkdir', 'rmdir', 'unlink', 'stat'] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), tree: fc.constant(TREE), path }),
  ),
  fc.record({
    kind: fc.constant('list' as const),
    tree: fc.constant(TREE),
    path: fc.constantFrom('', ...PATHS),
  }),
  fc.record({
    kind: fc.constant('put' as const),
    tree: fc.constant(TREE),
    path,
    value: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('rename' as const), tree: fc.constant(TREE), path, to: path }),
);

/** What the namespace that ships answers. */
async function ask(
  tree: FoundedMachine,
  { kind, path: below, to = '', value = 0 }: NamespaceCall,
): Promise<NamespaceAnswer> {
  const at = (name: string): string => `/${TREE}${name === '' ? '' : `/${name}`}`;
  const told = (said: string): NamespaceAnswer =>
    said.startsWith('NAMESPACE_') ? { isDone: false, code: said as NamespaceRefusal } : { isDone: true };
  const change = async (result: ReturnType<FoundedMachine['do']>): Promise<NamespaceAnswer> =>
    told(outcome(await result));
  switch (kind) {
    case 'mkdir':
      return change(tree.do('makeDirectory', { path: at(below) }));
    case 'rmdir':
      return change(tree.do('removeDirectory', { path: at(below) }));
    case 'unlink':
      return change(tree.do('unlink', { path: at(below) }));
    case 'rename':
      return change(tree.do('rename', { from: at(below), to: at(to) }));
    case 'put':
      return change(tree.do('createFile', { path: at(below), complete: true, blocks: [], mtimeMs: value }));
    case 'list':
      return look(async () => ({ isDone: true, names: await tree.names(at(below)) }));
    case 'stat':
      return look(async () => {
        const stat = await tree.machine.stat(at(below));
        if (stat.kind === 'directory') return { isDone: true, found: 'directory' };
        return { isDone: true, found: 'file', value: stat.mtimeMs };
      });
  }
}

async function look(read: () => Promise<NamespaceAnswer>): Promise<NamespaceAnswer> {
  try {
    return await read();
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { isDone: false, code: error.code as NamespaceRefusal };
  }
}

describe('the model of the namespace', () => {
  it('answers every request as the namespace that ships does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(requests, { maxLength: 40 }), async (calls) => {
        const tree = await FoundedMachine.create();
        await tree.do('makeDirectory', { path: `/${TREE}` });
        let state: ReturnType<typeof namespaceModel.initial> | undefined = namespaceModel.initial(TREE);
        for (const call of calls) {
          const answered = { ...call, answer: await ask(tree, call) };
          state = namespaceModel.step(state, answered);
          if (state === undefined)
            throw new Error(`The model would not say: ${namespaceModel.describe(answered)}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is judged as by trying everything', () => {
    const answers: fc.Arbitrary<NamespaceAnswer> = fc.oneof(
      { weight: 4, arbitrary: fc.constant<NamespaceAnswer>({ isDone: true }) },
      fc
        .constantFrom<NamespaceRefusal>('NAMESPACE_NOT_FOUND', 'NAMESPACE_EXISTS')
        .map((code) => ({ isDone: false, code })),
    );
    const changes = requests.filter(({ kind }) => kind !== 'list' && kind !== 'stat');
    const operation = fc
      .record({ call: changes, answer: answers, start: fc.nat(12), length: fc.nat(8), isKnown: fc.boolean() })
      .map(
        ({ call, answer, start, length, isKnown }): Operation<NamespaceCall> =>
          isKnown
            ? { client: 1, call: { ...call, answer }, start, end: start + length }
            : { client: 1, call, start },
      );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (history) => {
        const wanted = isLinearizableByForce(namespaceModel, namespaceModel.initial(TREE), history);
        expect(searchPart(namespaceModel, TREE, history).isLinearizable).toBe(wanted);
      }),
      { numRuns: 1_000 },
    );
  });
});
