/** @module `holdfast put`, `get` and `cat`: the commands; the work is in put-files.ts and get-files.ts. */
import type { Command } from 'commander';
import { addAppendCommand } from './append.ts';
import { addCacheOptions, type CacheFlags } from './cache-options.ts';
import { getFiles, type GetFlags, writeToOutput } from './get-files.ts';
import {
  addAckOption,
  blockSize,
  addClientCommand,
  addReadCommand,
  type ReadFlags,
  wholeNumber,
} from './options.ts';
import { putFiles, type PutFlags } from './put-files.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

const MAX_REPLICATION = 16;

export function addTransferCommands(program: Command, shell: Shell): void {
  addPutCommand(program, shell);
  addAppendCommand(program, shell);
  addCacheOptions(
    addReadCommand(
      program,
      'get <paths...>',
      {
        summary:
          'fetch files; "-" as target is standard output. A file appears when it is complete, never half',
        example:
          'holdfast get /photos/cat.jpg\nholdfast get -r /photos backup/\nholdfast get /mail.tar - | tar t',
      },
      shell.terminal,
    ),
  )
    .usage('[options] <source...> [target]')
    .option('-r, --recursive', 'directories too, with everything below; symbolic links stay links')
    .option('-p, --preserve', 'with the mode (without set-user-id and the like) and modification time')
    .action((paths: string[], flags: GetFlags) => getFiles(shell, paths, flags));
  addCacheOptions(
    addReadCommand(
      program,
      'cat <paths...>',
      { summary: 'files to standard output, one after the other', example: 'holdfast cat /notes/todo.txt' },
      shell.terminal,
    ),
  ).action((paths: string[], flags: ReadFlags & CacheFlags) => cat(shell, paths.map(remotePath), flags));
}

function addPutCommand(program: Command, shell: Shell): void {
  addAckOption(
    addClientCommand(
      program,
      'put <paths...>',
      {
        summary: 'store files; "-" as source is standard input; onto a directory means into it',
        example:
          'holdfast put cat.jpg /photos/\nholdfast put -r photos mail /\ntar c mail | holdfast put - /mail.tar',
      },
      shell.terminal,
    ),
  )
    .usage('[options] <source...> <target>')
    .option('-r, --recursive', 'directories too, with everything below; symbolic links stay links')
    .option('-p, --preserve', 'with mode and modification time')
    .option('--append', 'add to the end of the file, as "holdfast append" does')
    .option(
      '--replication <copies>',
      "copies of each block (default: the directory's, see setrep)",
      wholeNumber(1, MAX_REPLICATION),
    )
    .option('--block-size <size>', 'size of blocks, 64KiB to 128MiB', blockSize)
    .option('--if-absent', 'refuse to replace anything')
    .option(
      '--if-version <number>',
      'replace only this version (see stat)',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--parents', 'make missing parent directories')
    .action((paths: string[], flags: PutFlags) => putFiles(shell, paths, flags));
}

async function cat(shell: Shell, paths: readonly string[], flags: ReadFlags & CacheFlags): Promise<void> {
  await shell.withReader(flags, (client) => writeToOutput(shell, client, paths, flags));
}
