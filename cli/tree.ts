/** @module Commands on names: ls, stat, ln, chmod, chown, mkdir, rmdir, mv, cp, rm, touch. */
import type { Command } from 'commander';
import { addAttributeCommands } from './attributes.ts';
import { addLinkCommand } from './link.ts';
import { addListCommand } from './list.ts';
import { modeOf, octalMode } from './mode.ts';
import { addMoveCommands } from './move.ts';
import { addClientCommand, addReadCommand, type ClientFlags, type ReadFlags } from './options.ts';
import { formatTime } from './duration.ts';
import { eachPath } from './each-path.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { needsRecursive, noParent } from './errors.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

interface StatFlags extends ReadFlags {
  /** False with --no-follow. */
  readonly follow: boolean;
}

interface MakeDirectoryFlags extends ClientFlags {
  readonly parents?: boolean;
}

interface RemoveFlags extends ClientFlags {
  readonly recursive?: boolean;
  readonly force?: boolean;
}

export function addTreeCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  addListCommand(program, shell);
  addReadCommand(
    program,
    'stat <paths...>',
    {
      summary:
        'all that is known of a file or directory. Times: mtime and ctime; when something was last read is not kept',
      example: 'holdfast stat /photos/cat.jpg\nholdfast stat -P /photos/latest',
    },
    terminal,
  )
    .option('-P, --no-follow', 'of a symbolic link itself, not of what it leads to')
    .action((paths: string[], flags: StatFlags) => stat(shell, paths.map(remotePath), flags));
  addLinkCommand(program, shell);
  addAttributeCommands(program, shell);
  addClientCommand(
    program,
    'mkdir <paths...>',
    { summary: 'make directories', example: 'holdfast mkdir -p /photos/2026/november' },
    terminal,
  )
    .option('-p, --parents', 'make missing parents; no error if it is there')
    .action((paths: string[], flags: MakeDirectoryFlags) =>
      makeDirectories(shell, paths.map(remotePath), flags),
    );
  addClientCommand(
    program,
    'rmdir <paths...>',
    { summary: 'remove empty directories', example: 'holdfast rmdir /photos/2025' },
    terminal,
  ).action((paths: string[], flags: ClientFlags) => removeDirectories(shell, paths.map(remotePath), flags));
  addMoveCommands(program, shell);
  addClientCommand(
    program,
    'rm <paths...>',
    {
      summary: 'remove files, and directories with -r; each at once and whole',
      example: 'holdfast rm -r /photos/2025',
    },
    terminal,
  )
    .option('-r, --recursive', 'directories too, with everything below')
    .option('-f, --force', 'no error for what is not there')
    .addHelpText('after', '\nOf a symbolic link the link is removed, not what it leads to.')
    .action((paths: string[], flags: RemoveFlags) => remove(shell, paths.map(remotePath), flags));
  addClientCommand(
    program,
    'touch <paths...>',
    {
      summary: 'set the modification time to now; makes empty files',
      example: 'holdfast touch /photos/.keep',
    },
    terminal,
  ).action((paths: string[], flags: ClientFlags) => touch(shell, paths.map(remotePath), flags));
}

async function stat(shell: Shell, paths: readonly string[], flags: StatFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths, async (path) => {
      const found = await client.stat(path, {
        stale: flags.stale,
        noFollow: !flags.follow,
        signal: shell.signal,
      });
      const { mtimeMs, ctimeMs, path: realPath } = found;
      const mode = modeOf(found);
      const shown = {
        ...found,
        path,
        mode: octalMode(mode),
        mtimeMs: formatTime(mtimeMs),
        ctimeMs: formatTime(ctimeMs),
      };
      await shell.output.result({ ...found, mode, path, realPath }, () =>
        textTable(
          Object.entries(shown)
            .filter(([, value]) => value !== '')
            .map(([name, value]) => [labelOf(name), String(value)]),
        ),
      );
    });
  });
}

/** "blockSizeBytes" as "block size bytes"; times are shown as dates, not in milliseconds. */
function labelOf(name: string): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}

async function makeDirectories(
  shell: Shell,
  paths: readonly string[],
  flags: MakeDirectoryFlags,
): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths, async (path) => {
      await client
        .mkdir(path, { parents: flags.parents ?? false, signal: shell.signal })
        .catch((error: unknown) => {
          throw isHoldfastError(error, 'NAMESPACE_NOT_FOUND') ? noParent(path, error) : error;
        });
      await shell.output.result({ path }, () => []);
    });
  });
}

async function removeDirectories(shell: Shell, paths: readonly string[], flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths, async (path) => {
      await client.rmdir(path, { signal: shell.signal });
      await shell.output.result({ path, removed: true }, () => []);
    });
  });
}

async function remove(shell: Shell, paths: readonly string[], flags: RemoveFlags): Promise<void> {
  const { signal } = shell;
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths, async (path) => {
      let removed = true;
      try {
        await (flags.recursive ? client.removeTree(path, { signal }) : client.unlink(path, { signal }));
      } catch (error) {
        if (!flags.recursive && isHoldfastError(error, 'NAMESPACE_IS_A_DIRECTORY'))
          throw needsRecursive('rm', path);
        if (!flags.force || !isHoldfastError(error, 'NAMESPACE_NOT_FOUND')) throw error;
        removed = false;
      }
      await shell.output.result({ path, removed }, () => []);
    });
  });
}

async function touch(shell: Shell, paths: readonly string[], flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths, async (path) => {
      await client.touch(path, { signal: shell.signal });
      await shell.output.result({ path }, () => []);
    });
  });
}
