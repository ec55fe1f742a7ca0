/** @module Reads the data-driven form: a command with arguments, input lines, `----`, the expected text, a blank line. */

/** `cfg=(1, 2)` has values ['1', '2'], `timeout=5` has ['5'], a bare word has none. */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly Argument[];
}

export interface Directive extends CommandLine {
  /** Lines between the command and `----`. */
  readonly input: readonly string[];
  readonly expected: string;
  /** Of the command, from 1. */
  readonly line: number;
}

const SEPARATOR = '----';
/** A word; or a name, `=`, and a word or a parenthesised list, which may hold spaces. */
const TOKEN = /([^\s=]+)(?:=(?:\(([^)]*)\)|(\S*)))?/g;

export function parseTranscript(text: string): Directive[] {
  const lines = text.split('\n');
  const directives: Directive[] = [];
  for (let at = 0; at < lines.length; ) {
    const head = lines[at] ?? '';
    if (head.trim() === '' || head.startsWith('#')) {
      at += 1;
      continue;
    }
    const { directive, next } = readDirective(lines, at);
    directives.push(directive);
    at = next;
  }
  return directives;
}

export function parseCommandLine(text: string): CommandLine {
  const [first, ...args] = [...text.matchAll(TOKEN)].map(([, key = '', list, word]) => ({
    key,
    values: valuesOf(list, word),
  }));
  return { command: first?.key ?? '', args };
}

function readDirective(
  lines: readonly string[],
  start: number,
): { readonly directive: Directive; readonly next: number } {
  const separator = lines.indexOf(SEPARATOR, start);
  if (separator === -1) throw new Error(`Line ${start + 1}: no ${SEPARATOR} follows this command`);
  const { head, end: inputStart } = joinContinued(lines, start);
  const { expected, next } = readExpected(lines, separator + 1);
  const input = lines.slice(inputStart, separator);
  return { directive: { ...parseCommandLine(head), input, expected, line: start + 1 }, next };
}

/** A backslash at the end of a line continues the command on the next one. */
function joinContinued(
  lines: readonly string[],
  start: number,
): { readonly head: string; readonly end: number } {
  let end = start + 1;
  let head = lines[start] ?? '';
  while (head.endsWith('\\')) {
    head = `${head.slice(0, -1)} ${lines[end] ?? ''}`;
    end += 1;
  }
  return { head, end };
}

/** Ends at a blank line; text that holds blank lines stands between doubled separators instead. */
function readExpected(
  lines: readonly string[],
  start: number,
): { readonly expected: string; readonly next: number } {
  if (lines[start] === SEPARATOR) {
    let end = start + 1;
    while (end < lines.length && !(lines[end] === SEPARATOR && lines[end + 1] === SEPARATOR)) end += 1;
    return { expected: lines.slice(start + 1, end).join('\n'), next: end + 2 };
  }
  let end = start;
  while (end < lines.length && lines[end] !== '') end += 1;
  return { expected: lines.slice(start, end).join('\n'), next: end };
}

function valuesOf(list: string | undefined, word: string | undefined): string[] {
  if (list !== undefined) return list.split(',').flatMap((item) => item.trim().split(/\s+/));
  return word === undefined ? [] : [word];
}
