/** @module From a path to an inode: name by name, symbolic links followed on the way. */
import { notADirectory, notFound, tooManyLinks } from './errors.ts';
import { MAX_LINKS, ROOT_INODE } from './limits.ts';
import { joinPath, namesOf } from './path.ts';
import type { RowView } from './row-view.ts';
import type { Inode } from './schema.ts';
import { childOf, inodeOf } from './tree.ts';

/** What becomes of a symlink that is the last name: POSIX has remove, rename and lstat act on the link itself. */
export type LastLink = 'follow' | 'keep';

export interface Resolved {
  /** Where the walk ended; no symlink is on the way. */
  readonly names: readonly string[];
  /** The directories from `/` to the one that holds the last name; none for `/` itself. */
  readonly ancestors: readonly Inode[];
  /** Undefined when the last name is free. */
  readonly inode: Inode | undefined;
}

export interface ResolveOptions {
  readonly last: LastLink;
  /** Makes a directory where the way ends too early; without it that is NAMESPACE_NOT_FOUND. */
  readonly make?: (parent: Inode, names: readonly string[]) => Inode;
}

/**
 * Throws NAMESPACE_NOT_FOUND when anything but the last name is missing, NAMESPACE_NOT_A_DIRECTORY when a file stands in
 * the way, NAMESPACE_TOO_MANY_LINKS. `.` and `..` come only from the targets of links; `..` of `/` is `/`.
 */
export function resolvePath(view: RowView, path: readonly string[], options: ResolveOptions): Resolved {
  const pending = path.toReversed();
  const walked: string[] = [];
  const ancestors: Inode[] = [];
  let inode = inodeOf(view, ROOT_INODE);
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (inode.kind !== 'directory') throw notADirectory(joinPath(walked));
    if (name === '.') continue;
    if (name === '..') {
      inode = ancestors.pop() ?? inode;
      walked.pop();
      continue;
    }
    const names = [...walked, name];
    const child = childOf(view, inode.id, name) ?? options.make?.(inode, names);
    if (child === undefined) {
      if (pending.length > 0) throw notFound(joinPath(names));
      return { names, ancestors: [...ancestors, inode], inode: undefined };
    }
    if (child.kind === 'symlink' && (pending.length > 0 || options.last === 'follow')) {
      links += 1;
      if (links > MAX_LINKS) throw tooManyLinks(joinPath(path), MAX_LINKS);
      if (child.linkTarget.startsWith('/')) {
        inode = ancestors[0] ?? inode;
        ancestors.length = 0;
        walked.length = 0;
      }
      pending.push(...namesOf(child.linkTarget).toReversed());
      continue;
    }
    ancestors.push(inode);
    walked.push(name);
    inode = child;
  }
  return { names: walked, ancestors, inode };
}
