/** @module `holdfast demo`: a real cluster on this machine, and what it survives. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseBytes } from './byte-size.ts';
import { addCommand } from './options.ts';
import type { Shell } from './shell.ts';

interface DemoFlags {
  readonly size: number;
}

const DEFAULT_SIZE = '256MiB';
/** The leader is to die in the middle of the put: that takes a file of several blocks. */
const MIN_SIZE = '32MiB';

export function addDemoCommand(program: Command, shell: Shell): void {
  addCommand(program, 'demo', {
    summary: 'run 3 metadata nodes and 4 datanodes here, kill some, spoil a disk, and see the file survive',
    example: 'holdfast demo\nholdfast demo --json | tail -1',
  })
    .option('--size <size>', 'size of the file', parseSize, parseBytes(DEFAULT_SIZE))
    .action(async ({ size }: DemoFlags) => {
      const { runDemo } = await import('./demo/run-demo.ts');
      await runDemo(shell, { sizeBytes: size });
    });
}

function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes < parseBytes(MIN_SIZE)) throw new InvalidArgumentError(`The demo needs at least ${MIN_SIZE}.`);
  return bytes;
}
