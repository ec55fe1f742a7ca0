/** @module What the operating system grants: open files, and memory. */
import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { formatBytes } from '../byte-size.ts';
import { check, type HealthCheck } from '../health-check.ts';

/** Connections of a hundred peers, their TLS twins, SQLite, and blocks being read and written. */
const NEEDED_FILES = 4_096;
const SCARCE_FILES = 1_024;
const MIB = 1024 * 1024;
/** A node takes some 300 MiB beside its cache of 256 MiB. */
const NEEDED_MEMORY_BYTES: number = 600 * MIB;

/** The limit that a node started from here would have. */
export async function fileLimitCheck(): Promise<HealthCheck> {
  let text: string;
  try {
    text = await readFile('/proc/self/limits', 'utf8');
  } catch {
    return check('file-limit', 'ok', 'this system does not say how many files a process may open');
  }
  return judgeFileLimit(text);
}

/** `limits`: /proc/PID/limits of Linux. */
export function judgeFileLimit(limits: string): HealthCheck {
  const [, word = ''] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  const limit = word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word);
  if (word === '' || Number.isNaN(limit))
    return check('file-limit', 'ok', 'this system does not say how many files a process may open');
  const finding = `a process may have ${word} files open, a busy node wants ${NEEDED_FILES}`;
  const advice = `Raise it where the node is started: "ulimit -n ${NEEDED_FILES}", or LimitNOFILE= of its service.`;
  if (limit < SCARCE_FILES) return check('file-limit', 'fail', finding, advice);
  if (limit < NEEDED_FILES) return check('file-limit', 'warn', finding, advice);
  return check('file-limit', 'ok', finding);
}

export function memoryCheck(freeBytes: number = freemem(), totalBytes: number = totalmem()): HealthCheck {
  const finding = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} of memory are free`;
  if (totalBytes < NEEDED_MEMORY_BYTES)
    return check(
      'memory',
      'warn',
      finding,
      'A node takes some 600 MiB: see "node start --metadata-cache" and "--index-memory".',
    );
  return check('memory', 'ok', finding);
}
