/** @module Text of row keys. Numbers are fixed-width hex, so that the order of the text is the order of the numbers. */
import { assert } from '../common/errors.ts';

/** Hex digits of 2^53 - 1. */
const NUMBER_DIGITS = 14;

/** Above every key the namespace uses. */
export const END_OF_TABLE = '~';

/** A safe integer from 0 as 14 hex digits. */
export function numberKey(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is a safe integer from 0`);
  return value.toString(16).padStart(NUMBER_DIGITS, '0');
}

export function direntKey(parent: number, name: string): string {
  return `${numberKey(parent)}/${name}`;
}

/** Half-open range of the entries of `parent` with names after `after` ('' for all). */
export function direntRange(parent: number, after: string): { from: string; to: string } {
  const prefix = numberKey(parent);
  // No name holds a NUL, so the text after "name" is "name\0"; '0' follows '/'.
  return { from: after === '' ? `${prefix}/` : `${prefix}/${after}\0`, to: `${prefix}0` };
}

/** The name in a key of table `dirent`. */
export function nameOfDirent(key: string): string {
  return key.slice(NUMBER_DIGITS + 1);
}

/** The key of table `inode` of the directory that a key of table `dirent` is in. */
export function directoryOfDirent(key: string): string {
  return key.slice(0, NUMBER_DIGITS);
}

export function extentKey(inode: number, page: number): string {
  return `${numberKey(inode)}/${numberKey(page)}`;
}

export function resultKey(session: string, sequence: number): string {
  return `${session}/${numberKey(sequence)}`;
}

export function deadlineKey(timeMs: number, kind: 'lease' | 'session' | 'replication', id: string): string {
  return `${numberKey(timeMs)}/${kind}/${id}`;
}

/** The time a row of table `deadline` is filed under, in milliseconds since the epoch. */
export function timeOfDeadline(key: string): number {
  return Number.parseInt(key.slice(0, NUMBER_DIGITS), 16);
}
