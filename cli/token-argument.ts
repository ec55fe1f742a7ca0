/** @module The token of a command: a word, or "-" for the first line of standard input, where no list of processes shows it. */
import { addAbortSignal } from 'node:stream';
import { usage } from './errors.ts';
import type { Shell } from './shell.ts';

const FROM_INPUT = '-';
/** Far more than any token has. */
const MAX_LINE_BYTES: number = 64 * 1024;

/** Without a check of its form. Errors: CLI_USAGE where standard input has no line. */
export async function tokenFrom({ terminal, signal }: Shell, word: string): Promise<string> {
  if (word !== FROM_INPUT) return word;
  const line = await firstLine(addAbortSignal(signal, terminal.stdin));
  if (line === '') throw usage('Standard input has no token: its first line is to be one.');
  return line;
}

async function firstLine(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.includes('\n') || text.length > MAX_LINE_BYTES) break;
  }
  const [line = ''] = text.slice(0, MAX_LINE_BYTES).split('\n', 1);
  return line.trim();
}
