/** @module A file tree so simple that it is obviously right: maps within maps, every answer recomputed. */

export interface ModelFile {
  readonly kind: 'file';
  readonly blocks: readonly string[];
  readonly replication: number;
}
export interface ModelDirectory {
  readonly kind: 'directory';
  readonly children: Map<string, ModelNode>;
}
export type ModelNode = ModelFile | ModelDirectory;

export class ModelRefusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = `NAMESPACE_${code}`;
  }
}

export function newDirectory(): ModelDirectory {
  return { kind: 'directory', children: new Map() };
}

const DEFAULT_COPIES = 3;

export class TreeModel {
  readonly root: ModelDirectory = newDirectory();
  /** Files being written: path and blocks so far. */
  readonly open: Map<number, { path: string[]; blocks: string[] }> = new Map();

  find(names: readonly string[]): ModelNode {
    let node: ModelNode = this.root;
    for (const name of names) {
      if (node.kind === 'file') throw new ModelRefusal('NOT_A_DIRECTORY');
      const child: ModelNode | undefined = node.children.get(name);
      if (child === undefined) throw new ModelRefusal('NOT_FOUND');
      node = child;
    }
    return node;
  }

  mkdir(names: readonly string[], parents: boolean): void {
    if (!parents) {
      const { children, name, existing } = this.#place(names);
      if (existing !== undefined) throw new ModelRefusal('EXISTS');
      children.set(name, newDirectory());
      return;
    }
    for (let depth = 1; depth <= names.length; depth++) {
      const above = this.find(names.slice(0, depth - 1));
      if (above.kind === 'file') throw new ModelRefusal('NOT_A_DIRECTORY');
      const child = above.children.get(names[depth - 1]!);
      if (child?.kind === 'file') throw new ModelRefusal('NOT_A_DIRECTORY');
      if (child === undefined) above.children.set(names[depth - 1]!, newDirectory());
    }
  }

  put(names: readonly string[], blocks: readonly string[], ifAbsent: boolean): void {
    this.#setFile(names, { kind: 'file', blocks, replication: DEFAULT_COPIES }, ifAbsent);
  }

  begin(inode: number, names: string[]): void {
    const { existing } = this.#place(names);
    if (existing?.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    this.open.set(inode, { path: names, blocks: [] });
  }

  close(inode: number): void {
    const writing = this.open.get(inode)!;
    this.#setFile(writing.path, { kind: 'file', blocks: writing.blocks, replication: DEFAULT_COPIES }, false);
    this.open.delete(inode);
  }

  rename(from: readonly string[], to: readonly string[], noClobber: boolean): void {
    const source = this.#place(from);
    if (source.existing === undefined) throw new ModelRefusal('NOT_FOUND');
    const isInside = to.length > from.length && from.every((name, depth) => to[depth] === name);
    if (source.existing.kind === 'directory' && isInside) throw new ModelRefusal('INTO_ITSELF');
    const target = this.#place(to);
    if (target.children === source.children && target.name === source.name) return;
    if (target.existing !== undefined) {
      if (noClobber) throw new ModelRefusal('EXISTS');
      if (target.existing.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
      if (source.existing.kind === 'directory') throw new ModelRefusal('NOT_A_DIRECTORY');
    }
    source.children.delete(source.name);
    target.children.set(target.name, source.existing);
  }

  copy(from: readonly string[], to: readonly string[]): void {
    const source = this.find(from);
    if (source.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    if (this.#place(to).existing === source) throw new ModelRefusal('INVALID_ARGUMENT');
    this.#setFile(to, { ...source }, false);
  }

  unlink(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    if (existing.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    children.delete(name);
  }

  rmdir(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    if (existing.kind === 'file') throw new ModelRefusal('NOT_A_DIRECTORY');
    if (existing.children.size > 0) throw new ModelRefusal('NOT_EMPTY');
    children.delete(name);
  }

  removeTree(names: readonly string[]): void {
    const { children, name, existing } = this.#place(names);
    if (existing === undefined) throw new ModelRefusal('NOT_FOUND');
    children.delete(name);
  }

  setReplication(names: readonly string[], replication: number): void {
    const file = this.find(names);
    if (file.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    const { children, name } = this.#place(names);
    children.set(name, { ...file, replication });
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
    const { children, name, existing } = this.#place(names);
    if (existing !== undefined && ifAbsent) throw new ModelRefusal('EXISTS');
    if (existing?.kind === 'directory') throw new ModelRefusal('IS_A_DIRECTORY');
    children.set(name, file);
  }

  #place(names: readonly string[]): {
    children: Map<string, ModelNode>;
    name: string;
    existing: ModelNode | undefined;
  } {
    const parent = this.find(names.slice(0, -1));
    if (parent.kind === 'file') throw new ModelRefusal('NOT_A_DIRECTORY');
    const name = names.at(-1)!;
    return { children: parent.children, name, existing: parent.children.get(name) };
  }
}
