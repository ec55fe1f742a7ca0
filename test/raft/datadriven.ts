/** @module Reads etcd's data-driven cases: a command with arguments, input lines, `----`, the expected text. */
import { readFileSync } from 'node:fs';

export interface Case {
  readonly command: string;
  /** `cfg=(1, 2)` becomes cfg -> ['1', '2']; `autoleave=true` becomes autoleave -> ['true']. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Words of the lines between command and `----`. */
  readonly words: readonly string[];
  readonly expected: string;
  /** Where the case is, for its name. */
  readonly line: number;
}

const SEPARATOR = '----';

export function readCases(file: string): Case[] {
  const lines = readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8').split('\n');
  const cases: Case[] = [];
  for (let at = 0; at < lines.length; at++) {
    const head = lines[at]?.trim() ?? '';
    if (head === '' || head.startsWith('#')) continue;
    const separator = lines.indexOf(SEPARATOR, at);
    let end = separator + 1;
    while (end < lines.length && lines[end] !== '') end++;
    const words = lines
      .slice(at + 1, separator)
      .join(' ')
      .split(/\s+/)
      .filter((word) => word !== '');
    const expected = lines.slice(separator + 1, end).join('\n');
    cases.push({
      command: head.split(' ')[0] ?? '',
      options: optionsOf(head),
      words,
      expected,
      line: at + 1,
    });
    at = end;
  }
  return cases;
}

function optionsOf(head: string): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, readonly string[]>();
  for (const [, name, list, word] of head.matchAll(/(\w+)=(?:\(([^)]*)\)|(\S+))/g))
    if (name !== undefined)
      options.set(name, list === undefined ? [word ?? ''] : list.split(',').map((item) => item.trim()));
  return options;
}
