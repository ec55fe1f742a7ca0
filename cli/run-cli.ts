/** @module One run of the command: arguments in, exit status out. */
import { CommanderError } from 'commander';
import { usage } from './errors.ts';
import { EXIT, type ExitStatus, exitStatusOf } from './exit-codes.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';
import { type Connect, connectLazily, Shell } from './shell.ts';
import type { Terminal } from './terminal.ts';

export interface RunComponents {
  readonly terminal: Terminal;
  readonly connect?: Connect;
}

export interface RunOptions {
  readonly signal: AbortSignal;
}

/** Never throws: whatever goes wrong is said on stderr and becomes the status. `words` are the arguments after the name. */
export async function runCli(
  { terminal, connect = connectLazily }: RunComponents,
  words: readonly string[],
  { signal }: RunOptions,
): Promise<ExitStatus> {
  const output = new Output(terminal, { json: wantsJson(words) });
  try {
    const program = await buildProgram(new Shell({ terminal, output, connect }, { signal }), words);
    await program.parseAsync([...words], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return usageStatus(error, output);
    // After ctrl-C every floor fails in its own words; the one reason is that it was stopped.
    const reason: unknown = signal.aborted ? signal.reason : firstFailure(error);
    const status = exitStatusOf(reason);
    if (status !== EXIT.outputClosed) output.error(reason);
    return status;
  }
}

/** Read before the options are parsed, since a mistake in them is to be told in the right form too. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** commander has told a person already; --help and --version are no mistakes. */
function usageStatus(error: CommanderError, output: Output): ExitStatus {
  if (error.exitCode === 0) return EXIT.ok;
  if (output.json) output.error(usage(error.message.replace(/^error: /, '')));
  return EXIT.usage;
}

/** What began it, where closing down afterwards failed, too. */
function firstFailure(error: unknown): unknown {
  return error instanceof SuppressedError ? firstFailure(error.suppressed) : error;
}
