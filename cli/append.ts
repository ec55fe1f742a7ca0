/** @module `holdfast append`: bytes at the end of a file. */
import type { Command } from 'commander';
import { addAckOption, addClientCommand, wholeNumber } from './options.ts';
import { putFiles, type PutFlags } from './put-files.ts';
import type { Shell } from './shell.ts';

export function addAppendCommand(program: Command, shell: Shell): void {
  addAckOption(
    addClientCommand(
      program,
      'append <source> <path>',
      {
        summary:
          'add a file, or "-" for standard input, to the end of a file in the cluster, which is made where there is none; readers see all of it at once',
        example: 'holdfast append today.log /logs/all.log\ndate | holdfast append - /notes/dates.txt',
      },
      shell.terminal,
    ),
  )
    .option(
      '--if-version <number>',
      'only to this version (see stat)',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--parents', 'make missing parent directories')
    .action((source: string, path: string, flags: PutFlags) =>
      putFiles(shell, [source, path], { ...flags, append: true }),
    );
}
