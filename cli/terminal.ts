/** @module The process's surroundings as one value, so that tests can bring their own. */
import type { Readable, Writable } from 'node:stream';

export interface Terminal {
  readonly stdin: Readable;
  /** Data and results. */
  readonly stdout: Writable;
  /** Errors, progress, logs. */
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A person watches stderr: progress may be drawn over itself. */
  readonly isInteractive: boolean;
}

export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    isInteractive: process.stderr.isTTY === true,
  };
}
