/** @module Paths: absolute, of names kept byte for byte. */
import { invalidName, tooDeep } from './errors.ts';
import { MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES } from './limits.ts';

/**
 * The names on the way from `/`, none for the root itself. Doubled and trailing slashes count as one.
 * Throws NAMESPACE_INVALID_NAME for a relative or over-long path and for names that cannot be kept.
 */
export function splitPath(path: string): string[] {
  if (!path.startsWith('/')) throw invalidName(path, 'a path starts with /');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalidName(path, `a path has at most ${MAX_PATH_BYTES} bytes`);
  const names = namesOf(path);
  for (const name of names) checkName(name);
  return names;
}

/** The names in a path, or in the target of a symlink, as they are. */
export function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/**
 * Refuses a place where nothing may be put, because it lies too deep or because the way there without the symlinks that
 * led to it is over-long: NAMESPACE_TOO_DEEP, NAMESPACE_INVALID_NAME.
 */
export function checkReach(names: readonly string[]): void {
  const path = joinPath(names);
  if (names.length > MAX_DEPTH) throw tooDeep(path, names.length, MAX_DEPTH);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalidName(path, `a path has at most ${MAX_PATH_BYTES} bytes`);
}

/** The one spelling of a path. */
export function joinPath(names: readonly string[]): string {
  return `/${names.join('/')}`;
}

/** Throws NAMESPACE_INVALID_NAME unless `name` is 1..255 bytes of well-formed Unicode without `/`, NUL, and not `.` or `..`. */
function checkName(name: string): void {
  if (name === '') throw invalidName(name, 'a name has at least one byte');
  if (name === '.' || name === '..') throw invalidName(name, 'names in the tree are never . or ..');
  if (name.includes('/')) throw invalidName(name, 'a name holds no /');
  if (name.includes('\0')) throw invalidName(name, 'a name holds no NUL');
  if (!name.isWellFormed()) throw invalidName(name, 'a name is well-formed Unicode');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw invalidName(name, `a name has at most ${MAX_NAME_BYTES} bytes`);
}

/** True when `inner` lies inside `outer`; a path does not lie inside itself. */
export function isInside(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.length > outer.length && outer.every((name, index) => inner[index] === name);
}
