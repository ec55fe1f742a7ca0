/** @module Structured logs, one JSON line an event, through pino. */
import { createRequire } from 'node:module';
import type { Logger as PinoLogger, pino as Pino } from 'pino';

/** Loaded by the first logger: a command that lists a directory has none, and would spend a tenth of its time on this. */
const require = createRequire(import.meta.url);

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

/** A logger writing to `destination` (a file descriptor; 2 is stderr, which keeps stdout for data). */
export function createLogger(options: { level: LogLevel; destination?: number }): Logger {
  const pino = require('pino') as typeof Pino;
  return wrap(
    pino(
      { level: options.level, base: null },
      pino.destination({ fd: options.destination ?? 2, sync: true }),
    ),
  );
}

/** Drops everything; for tests and for library users who pass no logger. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

function wrap(target: PinoLogger): Logger {
  return {
    debug: (event, fields) => target.debug(fields ?? {}, event),
    info: (event, fields) => target.info(fields ?? {}, event),
    warn: (event, fields) => target.warn(fields ?? {}, event),
    error: (event, fields) => target.error(fields ?? {}, event),
    with: (fields) => wrap(target.child(fields)),
  };
}
