/** @module Options that several commands share, and the shape every command has. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MAX_BLOCK_SIZE_BYTES, MIN_BLOCK_SIZE_BYTES } from '../src/namespace/limits.ts';
import { formatBytes, parseBytes } from './byte-size.ts';
import type { Terminal } from './terminal.ts';

export interface CommandText {
  readonly summary: string;
  /** One or more lines a person could type. */
  readonly example: string;
}

export interface ClientFlags {
  /** Directory of the client profile. */
  readonly profile: string;
}

export interface ReadFlags extends ClientFlags {
  readonly stale?: boolean;
}

export interface NodeFlags {
  /** The node's data directory. */
  readonly dir: string;
}

/** Adds `usage` (name and arguments) below `parent`, with --json and an example in --help. */
export function addCommand(parent: Command, usage: string, text: CommandText): Command {
  const example = text.example
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return parent
    .command(usage)
    .description(text.summary)
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', `\nExample:\n${example}`);
}

/** A command that talks to a cluster as a client. */
export function addClientCommand(
  parent: Command,
  usage: string,
  text: CommandText,
  terminal: Terminal,
): Command {
  return addProfileOption(addCommand(parent, usage, text), terminal);
}

/** A client command that only reads. */
export function addReadCommand(
  parent: Command,
  usage: string,
  text: CommandText,
  terminal: Terminal,
): Command {
  return addClientCommand(parent, usage, text, terminal).option(
    '--stale',
    'answer from what one metadata node has, even without a quorum; may be out of date',
  );
}

export function addProfileOption(command: Command, { env }: Terminal): Command {
  const fallback = env['HOLDFAST_PROFILE'] || join(homedir(), '.holdfast', 'client');
  return command.option('--profile <directory>', 'client profile (HOLDFAST_PROFILE)', fallback);
}

export function addDirectoryOption(command: Command, terminal: Terminal): Command {
  const fallback = nodeDirectory(terminal);
  return command.option('--dir <directory>', 'data directory of the node (HOLDFAST_DIR)', fallback);
}

/** Where this machine's node is, unless a command is told otherwise. An empty variable is one that is not set. */
export function nodeDirectory({ env }: Terminal): string {
  return env['HOLDFAST_DIR'] || join(homedir(), '.holdfast', 'node');
}

/** For commands that write files. */
export function addAckOption(command: Command): Command {
  const says =
    'which copies to wait for: all that are wanted, two, or one; the cluster makes the others. When absent: all, or two if that takes too long';
  return command.addOption(new Option('--ack <copies>', says).choices(['all', 'quorum', 'one']));
}

/** For options that may be given several times, or as a list with commas; an empty one, as of a variable that is not set, is a mistake. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  const parts = value.split(',').filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('It is empty. Leave the option out, or write one.');
  return [...(previous ?? []), ...parts];
}

/** Parses the size of blocks, in bytes. */
export function blockSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes >= MIN_BLOCK_SIZE_BYTES && bytes <= MAX_BLOCK_SIZE_BYTES) return bytes;
  const [low, high] = [MIN_BLOCK_SIZE_BYTES, MAX_BLOCK_SIZE_BYTES].map(formatBytes);
  throw new InvalidArgumentError(`Blocks have ${low} to ${high}.`);
}

/** A parser of whole numbers in [low, high]. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high))
      throw new InvalidArgumentError(`Write a whole number from ${low} to ${high}.`);
    return value;
  };
}
