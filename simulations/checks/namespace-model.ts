/** @module Our namespace as its clients know it: directories and files in independent trees, and who is refused what. */
import type { Model } from './model.ts';
import type { Effect } from './placed-operation.ts';

/** Codes of the namespace that depend on nothing but the tree. */
export type NamespaceRefusal =
  | 'NAMESPACE_NOT_FOUND'
  | 'NAMESPACE_EXISTS'
  | 'NAMESPACE_NOT_A_DIRECTORY'
  | 'NAMESPACE_IS_A_DIRECTORY'
  | 'NAMESPACE_NOT_EMPTY'
  | 'NAMESPACE_INTO_ITSELF';

export type NamespaceAnswer =
  | { readonly isDone: false; readonly code: NamespaceRefusal }
  | {
      readonly isDone: true;
      /** Of a list, in the order of the service. */
      readonly names?: readonly string[];
      /** Of a stat. */
      readonly found?: 'file' | 'directory';
      readonly value?: number;
    };

export interface NamespaceCall {
  readonly kind: 'mkdir' | 'rmdir' | 'put' | 'unlink' | 'rename' | 'list' | 'stat';
  /** The directory that the paths are below; it is there from the beginning, and nothing leaves or enters it. */
  readonly tree: string;
  /** Names with '/' between them; '' for the tree itself, which only list and stat are asked of. */
  readonly path: string;
  /** Of a rename. */
  readonly to?: string;
  /** Of a put: what tells the file from others. */
  readonly value?: number;
  /** Absent: not known. */
  readonly answer?: NamespaceAnswer;
}

/** By path: the value of a file, 'directory' of a directory. */
type Tree = ReadonlyMap<string, number | 'directory'>;

export const namespaceModel: Model<Tree, NamespaceCall> = {
  part: ({ tree }) => tree,
  initial: () => new Map([['', 'directory']]),
  step(state, call) {
    const { answer, tree } = perform(state, call);
    if (call.answer === undefined) return tree;
    return isSameAnswer(answer, call.answer) ? tree : undefined;
  },
  stateKey: (state) =>
    [...state]
      .map(([path, entry]) => `${path}=${entry}`)
      .toSorted()
      .join(' '),
  effect: ({ kind, answer }): Effect =>
    kind === 'list' || kind === 'stat' || answer?.isDone === false ? 'reads' : 'depends',
  describe: ({ kind, path, to, value, answer }) =>
    `${kind} ${path}${to === undefined ? '' : ` ${to}`}${value === undefined ? '' : ` #${value}`} ${describeAnswer(answer)}`,
};

interface Performed {
  readonly answer: NamespaceAnswer;
  readonly tree: Tree;
}

function perform(tree: Tree, call: NamespaceCall): Performed {
  const { kind, path, to = '', value = 0 } = call;
  const problem = problemAbove(tree, path);
  const entry = tree.get(path);
  if (problem !== undefined) return refuse(tree, problem);
  switch (kind) {
    case 'mkdir':
      return entry === undefined ? change(tree, [[path, 'directory']]) : refuse(tree, 'NAMESPACE_EXISTS');
    case 'put':
      return entry === 'directory' ? refuse(tree, 'NAMESPACE_IS_A_DIRECTORY') : change(tree, [[path, value]]);
    case 'rename':
      return rename(tree, path, to);
  }
  if (entry === undefined) return refuse(tree, 'NAMESPACE_NOT_FOUND');
  switch (kind) {
    case 'rmdir':
      if (entry !== 'directory') return refuse(tree, 'NAMESPACE_NOT_A_DIRECTORY');
      return isEmpty(tree, path) ? change(tree, [], path) : refuse(tree, 'NAMESPACE_NOT_EMPTY');
    case 'unlink':
      return entry === 'directory' ? refuse(tree, 'NAMESPACE_IS_A_DIRECTORY') : change(tree, [], path);
    case 'list':
      if (entry !== 'directory') return refuse(tree, 'NAMESPACE_NOT_A_DIRECTORY');
      return { answer: { isDone: true, names: namesIn(tree, path) }, tree };
    case 'stat':
      return {
        answer:
          entry === 'directory'
            ? { isDone: true, found: entry }
            : { isDone: true, found: 'file', value: entry },
        tree,
      };
  }
}

/** As POSIX has it; the order of the checks is the service's. */
function rename(tree: Tree, from: string, to: string): Performed {
  const source = tree.get(from);
  if (source === undefined) return refuse(tree, 'NAMESPACE_NOT_FOUND');
  if (from !== to && source === 'directory' && to.startsWith(`${from}/`))
    return refuse(tree, 'NAMESPACE_INTO_ITSELF');
  const problem = problemAbove(tree, to);
  if (problem !== undefined) return refuse(tree, problem);
  if (from === to) return change(tree, []);
  const target = tree.get(to);
  if (target !== undefined && target !== 'directory' && source === 'directory')
    return refuse(tree, 'NAMESPACE_NOT_A_DIRECTORY');
  if (target === 'directory' && source !== 'directory') return refuse(tree, 'NAMESPACE_IS_A_DIRECTORY');
  if (target === 'directory' && !isEmpty(tree, to)) return refuse(tree, 'NAMESPACE_NOT_EMPTY');
  const moved = [...tree]
    .filter(([path]) => path === from || path.startsWith(`${from}/`))
    .map(([path, entry]) => [to + path.slice(from.length), entry] as const);
  return change(tree, moved, from);
}

/** Every name on the way must be a directory. */
function problemAbove(tree: Tree, path: string): NamespaceRefusal | undefined {
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const entry = tree.get(path.slice(0, at));
    if (entry === undefined) return 'NAMESPACE_NOT_FOUND';
    if (entry !== 'directory') return 'NAMESPACE_NOT_A_DIRECTORY';
  }
  return undefined;
}

/** Without `removed` and what is below it, then with `added`. */
function change(
  tree: Tree,
  added: readonly (readonly [string, number | 'directory'])[],
  removed?: string,
): Performed {
  const kept = [...tree].filter(
    ([path]) => removed === undefined || (path !== removed && !path.startsWith(`${removed}/`)),
  );
  return { answer: { isDone: true }, tree: new Map([...kept, ...added]) };
}

function refuse(tree: Tree, code: NamespaceRefusal): Performed {
  return { answer: { isDone: false, code }, tree };
}

function namesIn(tree: Tree, directory: string): readonly string[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  return [...tree.keys()]
    .filter((path) => path !== '' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
    .map((path) => path.slice(prefix.length))
    .toSorted();
}

function isEmpty(tree: Tree, directory: string): boolean {
  return ![...tree.keys()].some((path) => path.startsWith(`${directory}/`));
}

function isSameAnswer(expected: NamespaceAnswer, got: NamespaceAnswer): boolean {
  return describeAnswer(expected) === describeAnswer(got);
}

function describeAnswer(answer: NamespaceAnswer | undefined): string {
  if (answer === undefined) return '?';
  if (!answer.isDone) return `refused: ${answer.code}`;
  const { names, found, value } = answer;
  if (names !== undefined) return `found [${names.join()}]`;
  return found === undefined ? 'done' : `found a ${found}${value === undefined ? '' : ` #${value}`}`;
}
