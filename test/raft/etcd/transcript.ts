/** @module Runs one transcript, whatever its family, and compares what it prints with what it should. */
import { CONF_CHANGE_COMMANDS, ConfChangeTranscript } from './conf-change-family.ts';
import { parseTranscript } from './datadriven.ts';
import type { Directive } from './datadriven.ts';
import { InteractionTranscript } from './interaction-family.ts';
import { QUORUM_COMMANDS, runQuorum } from './quorum-family.ts';

export interface Mismatch {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
}

/** Runs a directive and says what it prints. */
type Runner = (directive: Directive) => string;

/** Told apart by their commands. */
interface Family {
  readonly run: Runner;
  /** What of a text is compared. */
  readonly comparable: (text: string) => string;
}

/** A line that the core or its logger wrote about itself, at any depth. */
const LOG_LINE = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL) /;

/** Empty when all of it agrees. Throws for text that is no transcript. */
export function runTranscript(text: string): Mismatch[] {
  const directives = parseTranscript(text);
  if (directives.length === 0) throw new Error('This file holds no command');
  const { run, comparable } = familyOf(directives);
  return directives.flatMap((directive) => {
    const { line, command } = directive;
    const expected = comparable(directive.expected);
    const actual = comparable(outcome(run, directive));
    return expected === actual ? [] : [{ line, command, expected, actual }];
  });
}

function familyOf(directives: readonly Directive[]): Family {
  const isOf = (commands: ReadonlySet<string>): boolean =>
    directives.some(({ command }) => commands.has(command));
  if (isOf(QUORUM_COMMANDS)) return { run: runQuorum, comparable: trimEnd };
  if (isOf(CONF_CHANGE_COMMANDS)) {
    const transcript = new ConfChangeTranscript();
    return { run: (directive) => transcript.run(directive), comparable: trimEnd };
  }
  const transcript = new InteractionTranscript();
  return { run: (directive) => transcript.run(directive), comparable: withoutLog };
}

/** A core that stops is an outcome like any other: it differs from what is expected, and the report shows how. */
function outcome(run: Runner, directive: Directive): string {
  try {
    return run(directive);
  } catch (error) {
    return error instanceof Error ? `threw: ${error.message}` : `threw: ${String(error)}`;
  }
}

/** Logs are worded differently here. Where nothing else is printed, that counts as `ok`. */
function withoutLog(text: string): string {
  const lines = trimEnd(text)
    .split('\n')
    .filter((line) => !LOG_LINE.test(line));
  const rest = lines.join('\n');
  return rest === '' || rest === 'ok (quiet)' ? 'ok' : rest;
}

function trimEnd(text: string): string {
  return text.replace(/\n+$/, '');
}
