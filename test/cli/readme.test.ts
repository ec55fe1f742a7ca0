/** @module What README.md says of the command is so: every command and option in it, the settings, codes, statuses and scripts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { Output } from '../../cli/output.ts';
import { buildProgram } from '../../cli/program.ts';
import { Shell } from '../../cli/shell.ts';
import { processTerminal } from '../../cli/terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Whatever somebody could type: code in a line of text, and lines of blocks of code. */
const typed = [...inline(readme), ...blocks(readme)].map((text) => text.replace(/^(machine\d\$|sudo) /, ''));
const program = await wholeProgram();

describe('README.md', () => {
  it('names every command', () => {
    const named = new Set(typed.flatMap(alternatives).map((text) => commandOf(words(text))?.name));
    expect(leaves(program).filter((name) => !named.has(name))).toEqual([]);
  });

  it('names no command that there is not', () => {
    const strays = typed.flatMap(alternatives).filter((text) => {
      const [first = '', second = ''] = words(text);
      const group = program.commands.find((child) => child.name() === first);
      const isMeant =
        group === undefined
          ? /^holdfast [a-z]/.test(text)
          : group.commands.length > 0 && /^[a-z-]+$/.test(second);
      return isMeant && commandOf(words(text)) === undefined;
    });
    expect(strays).toEqual([]);
  });

  it('gives commands no option that they do not have', () => {
    const strays = typed.flatMap(alternatives).flatMap((text) => {
      const found = commandOf(words(text));
      const has = new Set(found?.command.options.map(({ long }) => long));
      return found === undefined
        ? []
        : optionsIn(text)
            .filter((option) => !has.has(option))
            .map((option) => `${text}: ${option}`);
    });
    expect(strays).toEqual([]);
  });

  it('names no option that no command has', () => {
    const ofCommands = readme.slice(0, readme.indexOf('## Simulations'));
    const known = new Set(all(program).flatMap(({ options }) => options.map(({ long }) => long)));
    const lone = inline(ofCommands).filter((text) => text.startsWith('--'));
    expect(lone.length).toBeGreaterThan(20);
    expect(lone.flatMap(optionsIn).filter((option) => !known.has(option) && option !== '--help')).toEqual([]);
  });

  it('names only settings that there are', () => {
    const summary = commandOf(['cluster', 'set'])?.command.description() ?? '';
    const settings = typed.flatMap((text) => /^(?:holdfast )?cluster set ([a-z-]+)/.exec(text)?.[1] ?? []);
    expect(settings.length).toBeGreaterThan(5);
    expect(settings.filter((setting) => !summary.includes(`"${setting}"`))).toEqual([]);
  });

  it('has every exit status, and no other', () => {
    const table = readme.slice(readme.indexOf('### Exit statuses'), readme.indexOf('### From a program'));
    const statuses = [...table.matchAll(/\| (\d+) \|/g)].map(([, status]) => Number(status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });

  it('names only error codes that there are', () => {
    const sources = ['src', 'cli'].flatMap((folder) => sourcesOf(folder)).join('\n');
    const codes = [
      ...readme.matchAll(/\b(?:METADATA|NAMESPACE|STORAGE|CLIENT|NODE|DATANODE|CLI|NETWORK|DHT)_[A-Z_]+\b/g),
    ];
    expect(codes.length).toBeGreaterThan(3);
    // Refusals of the namespace are named without their prefix where they are made.
    const isMade = (code: string): boolean =>
      [code, code.replace('NAMESPACE_', '')].some((name) => sources.includes(`'${name}'`));
    expect(codes.map(([code]) => code).filter((code) => !isMade(code))).toEqual([]);
  });

  it('names only scripts that npm can run', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const named = typed.flatMap((text) => [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => name));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !Object.hasOwn(scripts, name ?? ''))).toEqual([]);
  });
});

function inline(markdown: string): string[] {
  const text = markdown.replace(/^ *```[\s\S]*?^ *```/gm, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => (code ?? '').replaceAll('\\|', '|'));
}

/** Without what is said behind a `#`. */
function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```/gm)]
    .flatMap(([, language, lines]) => (language === 'ts' ? [] : (lines ?? '').split('\n')))
    .map((line) => line.replace(/ +#.*$/, '').trim());
}

/** `gc run|undo` is two commands. */
function alternatives(text: string): string[] {
  const choice = /^((?:[a-z]+ )+)([a-z]+(?:\|[a-z]+)+)(.*)$/.exec(text);
  if (choice === null) return [text];
  const [, before = '', either = '', after = ''] = choice;
  return either.split('|').map((one) => `${before}${one}${after}`);
}

function words(text: string): string[] {
  return text.replace(/^holdfast /, '').split(' ');
}

function optionsIn(text: string): string[] {
  return text.match(/(?<=^| )--[a-z][a-z-]*/g) ?? [];
}

/** The command that these words begin with. */
function commandOf(given: readonly string[]): { name: string; command: Command } | undefined {
  let command = program;
  const path: string[] = [];
  while (command.commands.length > 0) {
    const next = command.commands.find((child) => child.name() === given[path.length]);
    if (next === undefined) return undefined;
    path.push(next.name());
    command = next;
  }
  return { name: path.join(' '), command };
}

function leaves(command: Command, before: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [before.join(' ')];
  return command.commands.flatMap((child) => leaves(child, [...before, child.name()]));
}

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

function sourcesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(ROOT, folder, path), 'utf8'));
}

function wholeProgram(): Promise<Command> {
  const terminal = processTerminal();
  const output = new Output(terminal, { json: false });
  const connect = (): never => {
    throw new Error('No command runs in these tests.');
  };
  return buildProgram(new Shell({ terminal, output, connect }, { signal: new AbortController().signal }));
}
