/** @module Names in the cluster as people type them. */
import { usage } from './errors.ts';

export interface RemotePath {
  /** Absolute, without a trailing slash; '/' for the root. */
  readonly path: string;
  /** A slash was typed at the end: it must be a directory. */
  readonly isDirectory: boolean;
}

/**
 * Relative names start at '/'. Repeated and trailing slashes mean nothing more than one. '.' and '..' are left as they
 * are: the cluster refuses them, since guessing where they lead would hide a mistake.
 */
export function parseRemotePath(text: string): RemotePath {
  if (text === '') throw usage('An empty name was given for a path in the cluster. The root is "/".');
  const parts = text.split('/').filter((part) => part !== '');
  return { path: `/${parts.join('/')}`, isDirectory: parts.length === 0 || text.endsWith('/') };
}

export function remotePath(text: string): string {
  return parseRemotePath(text).path;
}

/** Last component; '' for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
