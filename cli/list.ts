/** @module `holdfast ls`. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { Stat } from '../src/namespace/schema.ts';
import { formatTime } from './duration.ts';
import { eachPath } from './each-path.ts';
import { orGone } from './gone.ts';
import { formatMode, modeOf } from './mode.ts';
import { addReadCommand, type ReadFlags } from './options.ts';
import { printable } from './output.ts';
import { joinPath, remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

interface ListFlags extends ReadFlags {
  readonly long?: boolean;
  readonly recursive?: boolean;
}

const SIZE_WIDTH = 14;
/** Longer names push the rest of their line to the right. */
const OWNER_WIDTH = 16;

export function addListCommand(program: Command, shell: Shell): void {
  addReadCommand(
    program,
    'ls [paths...]',
    {
      summary: 'list directories; with --json one object per entry',
      example: 'holdfast ls -l /photos\nholdfast ls -R --json / | jq -r .path',
    },
    shell.terminal,
  )
    .option('-l, --long', 'with mode, copies, owner, size in bytes and modification time (UTC)')
    .option('-R, --recursive', 'everything below, directory by directory')
    .action((paths: string[], flags: ListFlags) => list(shell, paths, flags));
}

async function list(shell: Shell, paths: readonly string[], flags: ListFlags): Promise<void> {
  const tops = (paths.length > 0 ? paths : ['/']).map(remotePath);
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, tops, async (top) => {
      // As everywhere: a link that is named leads on, except where links themselves are shown.
      const noFollow = flags.long ?? false;
      const stat = await client.stat(top, { stale: flags.stale, noFollow, signal: shell.signal });
      if (stat.kind !== 'directory') await printEntry(shell, top, top, stat, flags);
      else
        await listDirectory(shell, client, top, {
          flags,
          withHeading: tops.length > 1 || flags.recursive === true,
        });
    });
  });
}

async function listDirectory(
  shell: Shell,
  client: Client,
  directory: string,
  options: { readonly flags: ListFlags; readonly withHeading: boolean },
): Promise<void> {
  const { flags, withHeading } = options;
  if (withHeading) await shell.output.note(`${printable(directory)}:`);
  const below: string[] = [];
  for await (const { name, stat } of client.list(directory, { stale: flags.stale, signal: shell.signal })) {
    if (stat === undefined) continue;
    const path = joinPath(directory, name);
    await printEntry(shell, name, path, stat, flags);
    if (flags.recursive && stat.kind === 'directory') below.push(path);
  }
  if (withHeading) await shell.output.note('');
  for (const path of below) await orGone(listDirectory(shell, client, path, options));
}

async function printEntry(
  shell: Shell,
  name: string,
  path: string,
  stat: Stat,
  flags: ListFlags,
): Promise<void> {
  await shell.output.result({ ...stat, mode: modeOf(stat), name, path }, () => {
    const isDirectory = stat.kind === 'directory';
    const shown = name + (isDirectory ? '/' : '');
    if (!flags.long) return shown;
    const size = String(isDirectory ? stat.childCount : stat.sizeBytes).padStart(SIZE_WIDTH);
    const copies = stat.kind === 'file' ? String(stat.replication) : '-';
    const owner = `${stat.owner || '-'} ${stat.group || '-'}`.padEnd(OWNER_WIDTH);
    const link = stat.kind === 'symlink' ? ` -> ${stat.linkTarget}` : '';
    return `${formatMode(stat)} ${copies.padStart(2)} ${owner} ${size}  ${formatTime(stat.mtimeMs)}  ${shown}${link}`;
  });
}
