/** @module The part of a client that changes names and what is said of them, not content. */
import { splitPath } from '../namespace/path.ts';
import type { Removed } from '../namespace/schema.ts';
import type {
  AttributeChange,
  AttributeOptions,
  MakeDirectoryOptions,
  MoveOptions,
  OperationOptions,
  TouchOptions,
} from './client-options.ts';
import type { ClientContext } from './client-context.ts';
import { copyFile } from './copy-file.ts';
import type { MutationCommand } from './mutations.ts';
import { removedResult } from './result.ts';

export abstract class TreeClient {
  protected readonly context: ClientContext;

  constructor(context: ClientContext) {
    this.context = context;
  }

  async mkdir(path: string, options: MakeDirectoryOptions = {}): Promise<void> {
    const attributes = this.context.attributes();
    const value = { path: checked(path), parents: options.parents ?? false, attributes };
    await this.#change({ $case: 'makeDirectory', value }, options);
  }

  async rmdir(path: string, options: OperationOptions = {}): Promise<void> {
    await this.#change({ $case: 'removeDirectory', value: { path: checked(path) } }, options);
  }

  /** Removes a file, or a symbolic link and not what it leads to. */
  async unlink(path: string, options: OperationOptions = {}): Promise<void> {
    await this.#change({ $case: 'unlink', value: { path: checked(path) } }, options);
  }

  /** Removes a file, a symbolic link, or a directory with everything below it, atomically. */
  async removeTree(path: string, options: OperationOptions = {}): Promise<Removed> {
    const command = { $case: 'removeTree' as const, value: { path: checked(path) } };
    return removedResult('removeTree', await this.context.mutations.run(command, options));
  }

  /**
   * Atomic, for files, symbolic links and whole directories. A file or link at `to` is replaced, and by a directory an empty
   * directory. Errors: NAMESPACE_IS_A_DIRECTORY, _NOT_A_DIRECTORY, _NOT_EMPTY, _INTO_ITSELF, _EXISTS.
   */
  async rename(from: string, to: string, options: MoveOptions = {}): Promise<void> {
    const value = { from: checked(from), to: checked(to), noClobber: options.noClobber ?? false };
    await this.#change({ $case: 'rename', value }, options);
    this.context.defaultReplication.forget();
  }

  /**
   * Copies a file by reference: no block is moved, and nobody sees a part of it. Errors: those of rename, NAMESPACE_NOT_FOUND
   * also when a large file is removed or replaced while it is being copied.
   */
  async copy(from: string, to: string, options: MoveOptions = {}): Promise<void> {
    const attributes = this.context.attributes();
    const value = { from: checked(from), to: checked(to), noClobber: options.noClobber ?? false, attributes };
    await copyFile(this.context, value, options);
  }

  /** Sets the modification time; creates an empty file where there is none. */
  async touch(path: string, options: TouchOptions = {}): Promise<void> {
    const attributes = this.context.attributes();
    const value = { path: checked(path), mtimeMs: options.mtimeMs ?? 0, attributes };
    await this.#change({ $case: 'touch', value }, options);
  }

  /** Makes a symbolic link at `path`. A relative `target` starts where the link is; it need not exist. Errors: NAMESPACE_EXISTS. */
  async symlink(target: string, path: string, options: OperationOptions = {}): Promise<void> {
    // Half a character would become U+FFFD on the wire, another target than was meant.
    for (const name of target.split('/')) if (!['', '.', '..'].includes(name)) splitPath(`/${name}`);
    const value = { path: checked(path), target, attributes: this.context.attributes() };
    await this.#change({ $case: 'makeSymlink', value }, options);
  }

  /** Owner, group, mode, modification time; what is absent stays. */
  async setAttributes(path: string, change: AttributeChange, options: AttributeOptions = {}): Promise<void> {
    const { owner = '', group = '', mode, mtimeMs } = change;
    const noFollow = options.noFollow ?? false;
    const value = { path: checked(path), noFollow, owner, group, mode, mtimeMs };
    await this.#change({ $case: 'setAttributes', value }, options);
  }

  /**
   * Of a file: how many copies it has; its blocks follow, those of a large file by and by. Of a directory: how many
   * new files below it get; 0 there means as its parent says.
   */
  async setReplication(path: string, replication: number, options: OperationOptions = {}): Promise<void> {
    await this.#change({ $case: 'setReplication', value: { path: checked(path), replication } }, options);
    this.context.defaultReplication.forget();
  }

  async #change(command: MutationCommand, options: OperationOptions): Promise<void> {
    await this.context.mutations.run(command, options);
  }
}

/** Half a character would silently become U+FFFD on the wire, another name than was meant. Errors: NAMESPACE_INVALID_NAME. */
export function checked(path: string): string {
  splitPath(path);
  return path;
}
