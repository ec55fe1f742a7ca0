/** @module A file tree so simple that it is obviously right: maps within maps, every answer recomputed. */

export interface ModelFile {
  readonly kind: 'file';
  blocks: readonly string[];
  replication: number;
}
export interface ModelSymlink {
  readonly kind: 'symlink';
  readonly target: string;
}
export interface ModelDirectory {
  readonly kind: 'directory';
  readonly children: Map<string, ModelNode>;
  /** 0: as its parent. */
  replication: number;
}
export type ModelNode = ModelFile | ModelDirectory | ModelSymlink;

interface Writing {
  readonly names: string[];
  readonly replication: number;
  readonly appendTo: ModelFile | undefined;
  readonly blocks: string[];
}

/** A node and the names that lead to it without symlinks; undefined where the last name is free. */
interface Walked {
  readonly above: readonly ModelDirectory[];
  readonly names: readonly string[];
  readonly node: ModelNode | undefined;
}

export class ModelRefusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = `NAMESPACE_${code}`;
  }
}

export function newDirectory(): ModelDirectory {
  return { kind: 'directory', children: new Map(), replication: 0 };
}

const DEFAULT_COPIES = 3;
const MAX_LINKS = 40;
const MAX_SHORT_BLOCKS = 32;

/** Blocks that begin with a dot are half as long as the others. */
export function isShortBlock(block: string): boolean {
  return block.startsWith('.');
}

function isFullBeforeShort(blocks: readonly string[]): boolean {
  return blocks.every((block, at) => at === 0 || isShortBlock(block) || !isShortBlock(blocks[at - 1] ?? ''));
}

/** How long blocks are together, in halves of one. */
export function halves(blocks: readonly string[]): number {
  return blocks.reduce((sum, block) => sum + (isShortBlock(block) ? 1 : 2), 0);
}

export class TreeModel {
  readonly root: ModelDirectory = newDirectory();
  /** Files being written or appended to. */
  readonly open: Map<number, Writing> = new Map();

  mkdir(names: readonly string[], parents: boolean): void {
    if (!parents) {
      const { children, name, existing } = this.#place(names, false);
      if (existing !== undefined) throw new ModelRefusal('EXISTS');
      children.set(name, newDirectory());
      return;
    }
    // Nothing may be made when the way is barred further on, so a rehearsal goes first.
    const made: (() => void)[] = [];
    try {
      if (this.#walk(names, true, made).node?.kind !== 'directory') throw new ModelRefusal('NOT_A_DIRECTORY');
    } catch (error) {
      for (const undo of made.toReversed()) undo();
      throw error;
    }
  }

  /** `copies` 0: as the directory says. */
  put(names: readonly string[], blocks: readonly string[], ifAbsent: boolean, copies = 0): void {
    const { above } = this.#place(names, !ifAbsent);
    this.#setFile(names, { kind: 'file', blocks, replication: copies || inherited(above) }, ifAbsent);
  }

  symlink(names: readonly string[], target: string): void {
    const { children, name, existing } = this.#place(names, false);
    if (existing !== undefined) throw new ModelRefusal('EXISTS');
    children.set(name, { kind: 'symlink', target });
  }

  begin(inode: number, names: readonly string[], ifAbsent = false, copies = 0): void {
    const { above, existing, found } = this.#place(names, !ifAbsent);
    if (existing !== undefined && ifAbsent) throw new ModelRefusal('EXISTS');
    if (existing?.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    const replication = copies || inherited(above);
    this.open.set(inode, { names: [...found], replication, appendTo: undefined, blocks: [] });
  }

  /** `isOver`: whether the lease of a writer has run out. */
  beginAppend(
    inode: number,
    names: readonly string[],
    isOver: (inode: number) => boolean = () => false,
  ): void {
    const { existing } = this.#place(names, true);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    if (existing.kind !== 'file') throw new ModelRefusal('IS_A_DIRECTORY');
    for (const [other, { appendTo }] of this.open) {
      if (appendTo !== existing) continue;
      if (!isOver(other)) throw new ModelRefusal('LEASE_HELD');
      this.open.delete(other);
    }
    this.open.set(inode, {
      names: [],
      replication: existing.replication,
      appendTo: existing,
      blocks: [],
    });
  }

  close(inode: number, ifAbsent = false): void {
    const { names, replication, appendTo, blocks } = this.open.get(inode)!;
    if (appendTo !== undefined) throw new ModelRefusal('INVALID_ARGUMENT');
    this.#setFile(names, { kind: 'file', blocks, replication }, ifAbsent);
    this.open.delete(inode);
  }

  /** Of the file's blocks, the short ones after the first `keep` are replaced. */
  closeAppend(inode: number, keep: number): void {
    const { appendTo, blocks } = this.open.get(inode)!;
    if (appendTo === undefined) throw new ModelRefusal('INVALID_ARGUMENT');
    if (![...this.all()].some(({ node }) => node === appendTo)) throw new ModelRefusal('NOT_FOUND');
    const before = appendTo.blocks;
    if (blocks.length > 0 || keep !== before.length) {
      const after = [...before.slice(0, keep), ...blocks];
      const replaced = before.slice(keep);
      const isWrong =
        keep > before.length ||
        !replaced.every(isShortBlock) ||
        !isFullBeforeShort(after) ||
        blocks.slice(0, -1).some(isShortBlock) ||
        halves(blocks) < halves(replaced) ||
        after.filter(isShortBlock).length > MAX_SHORT_BLOCKS;
      if (isWrong) throw new ModelRefusal('INVALID_ARGUMENT');
      appendTo.blocks = after;
    }
    this.open.delete(inode);
  }

  /** What is there, followed or not. */
  at(names: readonly string[], follows = true): ModelNode {
    const { node } = this.#walk(names, follows);
    if (node === undefined) throw new ModelRefusal('NOT_FOUND');
    return node;
  }

  rename(from: readonly string[], to: readonly string[], noClobber: boolean): void {
    const source = this.#place(from, false);
    if (source.existing === undefined) throw new ModelRefusal('NOT_FOUND');
    const isDirectory = source.existing.kind === 'directory';
    const isInside =
      to.length > source.found.length && source.found.every((name, depth) => to[depth] === name);
    if (isDirectory && isInside) throw new ModelRefusal('INTO_ITSELF');
    const target = this.#place(to, false);
    if (target.children === source.children && target.name === source.name) return;
    if (target.above.some((directory) => directory === source.existing))
      throw new ModelRefusal('INTO_ITSELF');
    const { existing } = target;
    if (existing !== undefined) {
      if (noClobber) throw new ModelRefusal('EXISTS');
      if (existing.kind !== 'directory' && isDirectory) throw new ModelRefusal('NOT_A_DIRECTORY');
      if (existing.kind === 'directory' && !isDirectory) throw new ModelRefusal('IS_A_DIRECTORY');
      if (existing.kind === 'directory' && existing.children.size > 0) throw new ModelRefusal('NOT_EMPTY');
    }
    source.children.delete(source.name);
    target.children.set(target.name, source.existing);
  }

  copy(from: readonly string[], to: readonly string[], noClobber = false): void {
    const source = this.at(from);
    if (source.kind !== 'file') throw new ModelRefusal('IS_A_DIRECTORY');
    const { children, name, existing } = this.#place(to, true);
    if (existing === source) throw new ModelRefusal('INVALID_ARGUMENT');
    if (existing !== undefined && noClobber) throw new ModelRefusal('EXISTS');
    if (existing?.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    children.set(name, { ...source });
  }

  unlink(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names, false);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    if (existing.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    children.delete(name);
  }

  rmdir(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names, false);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    if (existing.kind !== 'directory') throw new ModelRefusal('NOT_A_DIRECTORY');
    if (existing.children.size > 0) throw new ModelRefusal('NOT_EMPTY');
    children.delete(name);
  }

  removeTree(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names, false);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    children.delete(name);
  }

  setReplication(names: readonly string[], replication: number): void {
    const node = this.at(names);
    if (node.kind === 'file' && replication === 0) throw new ModelRefusal('INVALID_ARGUMENT');
    if (node.kind !== 'symlink') node.replication = replication;
  }

  /** Every node but the root, with its names. */
  *all(
    directory: ModelDirectory = this.root,
    names: readonly string[] = [],
  ): Generator<{ names: readonly string[]; node: ModelNode }> {
    for (const [name, node] of directory.children) {
      yield { names: [...names, name], node };
      if (node.kind === 'directory') yield* this.all(node, [...names, name]);
    }
  }

  #setFile(names: readonly string[], file: ModelFile, ifAbsent: boolean): void {
    const { children, name, existing } = this.#place(names, !ifAbsent);
    if (existing !== undefined && ifAbsent) throw new ModelRefusal('EXISTS');
    if (existing?.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    children.set(name, file);
  }

  #place(
    names: readonly string[],
    follows: boolean,
  ): {
    above: readonly ModelDirectory[];
    children: Map<string, ModelNode>;
    name: string;
    found: readonly string[];
    existing: ModelNode | undefined;
  } {
    const { above, names: found, node } = this.#walk(names, follows);
    const parent = above.at(-1);
    if (parent === undefined) throw new ModelRefusal('IS_A_DIRECTORY');
    return { above, children: parent.children, name: found.at(-1)!, found, existing: node };
  }

  /** Replaces the first symlink on the way by its target and starts over, until there is none. */
  #walk(names: readonly string[], follows: boolean, made?: (() => void)[]): Walked {
    let path = [...names];
    for (let links = 0; links <= MAX_LINKS; links++) {
      const above: ModelDirectory[] = [];
      const real: string[] = [];
      let node: ModelNode | undefined = this.root;
      let next: string[] | undefined;
      for (const [depth, name] of path.entries()) {
        if (node === undefined) throw new ModelRefusal('NOT_FOUND');
        if (node.kind !== 'directory') throw new ModelRefusal('NOT_A_DIRECTORY');
        if (name === '..') {
          node = above.pop() ?? node;
          real.pop();
          continue;
        }
        const directory: ModelDirectory = node;
        let child: ModelNode | undefined = directory.children.get(name);
        if (child === undefined && made !== undefined) {
          child = newDirectory();
          directory.children.set(name, child);
          made.push(() => directory.children.delete(name));
        }
        const rest = path.slice(depth + 1);
        if (child?.kind === 'symlink' && (rest.length > 0 || follows)) {
          const target = child.target.split('/').filter((part) => part !== '');
          next = [...(child.target.startsWith('/') ? [] : real), ...target, ...rest];
          break;
        }
        above.push(directory);
        real.push(name);
        node = child;
      }
      if (next === undefined) return { above, names: real, node };
      path = next;
    }
    throw new ModelRefusal('TOO_MANY_LINKS');
  }
}

function inherited(above: readonly ModelDirectory[]): number {
  return above.findLast(({ replication }) => replication > 0)?.replication ?? DEFAULT_COPIES;
}
