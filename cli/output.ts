/** @module What the command says: text for people, JSON for programs, errors on stderr. */
import type { Writable } from 'node:stream';
import { describeError, HoldfastError } from '../src/common/errors.ts';
import { outputClosed, outputFailure } from './errors.ts';
import type { Terminal } from './terminal.ts';

export interface OutputOptions {
  /** One JSON object per result; commands that list print one per entry. */
  readonly json: boolean;
}

export class Output {
  readonly json: boolean;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal, options: OutputOptions) {
    this.#terminal = terminal;
    this.json = options.json;
  }

  /** A result: `value` with --json, else the line or lines of `text`; names in them may be of anybody's making. */
  async result(value: unknown, text: () => string | readonly string[]): Promise<void> {
    if (this.json) return this.write(`${JSON.stringify(value)}\n`);
    const lines = [text()].flat().map(printable).join('\n');
    if (lines !== '') await this.write(`${lines}\n`);
  }

  /** Something a person may want to know and a program not. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.write(`${text}\n`);
  }

  /** A remark that is no result: to stderr, in both modes. */
  warn(message: string): void {
    this.#terminal.stderr.write(
      this.json ? `${JSON.stringify({ warning: message })}\n` : `holdfast: ${printableLines(message)}\n`,
    );
  }

  error(error: unknown): void {
    this.#terminal.stderr.write(
      this.json ? `${JSON.stringify(errorJson(error))}\n` : `${errorText(error)}\n`,
    );
  }

  /**
   * Raw bytes to stdout; resolves when more may be written. Throws CLI_OUTPUT_CLOSED when nobody reads any more,
   * CLI_LOCAL_FAILED when it is a file that cannot be written.
   */
  async write(chunk: string | Uint8Array): Promise<void> {
    const { stdout } = this.#terminal;
    if (stdout.destroyed) throw outputClosed();
    const isRoom = stdout.write(chunk);
    // A file fails at once; the standard output of a process has forgotten it a moment later, and would take more.
    if (stdout.errored) throw outputFailure(stdout.errored);
    if (!isRoom) await drained(stdout);
    if (stdout.destroyed) throw outputClosed();
  }
}

/**
 * Makes a line safe for a terminal: control characters become \xNN, and so do line ends and what turns the direction of writing
 * round, by which a name could look like another. JSON output carries names as they are.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle).off('close', settle).off('error', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle).on('error', settle);
  });
}

function errorJson(error: unknown): unknown {
  if (!(error instanceof HoldfastError))
    return { error: { code: 'CLI_FAILED', kind: 'broken', message: describeError(error), facts: {} } };
  const { code, kind, message, facts } = error;
  return { error: { code, kind, message, facts } };
}

function errorText(error: unknown): string {
  if (!(error instanceof HoldfastError)) return `holdfast: ${printableLines(describeError(error))}`;
  return `holdfast: ${printableLines(withNamesShown(error))} [${error.code}]`;
}

/** A message may have several lines, and a name in it must not: it could add one of its own making. */
function withNamesShown({ message, facts }: HoldfastError): string {
  return Object.values(facts)
    .filter((fact) => typeof fact === 'string')
    .filter((fact) => fact.includes('\n'))
    .reduce((text, name) => text.replaceAll(name, () => printable(name)), message);
}
