/** @module `holdfast mv` and `cp`: within the cluster, no byte is moved. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { MoveOptions } from '../src/client/client-options.ts';
import { refuseTwins } from './distinct-targets.ts';
import { eachPath } from './each-path.ts';
import { needsRecursive, notADirectory, usage } from './errors.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { putLink } from './put-link.ts';
import { baseName, joinPath, parseRemotePath, remotePath } from './remote-path.ts';
import { kindAt } from './remote-kind.ts';
import type { Shell } from './shell.ts';

interface MoveFlags extends ClientFlags {
  /** False with --no-clobber. */
  readonly clobber: boolean;
  /** False with --no-target-directory. */
  readonly targetDirectory?: boolean;
}

interface CopyFlags extends MoveFlags {
  readonly recursive?: boolean;
}

type Transfer = (client: Client, source: string, target: string) => Promise<void>;

export function addMoveCommands(program: Command, shell: Shell): void {
  addClientCommand(
    program,
    'mv <paths...>',
    {
      summary: 'rename files and directories, atomically; onto a directory means into it',
      example: 'holdfast mv /photos/new /photos/2026\nholdfast mv --no-clobber /a.txt /b.txt',
    },
    shell.terminal,
  )
    .usage('[options] <source...> <target>')
    .option('--no-clobber', 'refuse to replace anything')
    .option('-T, --no-target-directory', 'onto the target itself: an empty directory there is replaced')
    .action((paths: string[], flags: MoveFlags) => {
      const options = { noClobber: !flags.clobber, signal: shell.signal };
      return toTarget(shell, paths, flags, (client, source, target) =>
        client.rename(source, target, options),
      );
    });
  addClientCommand(
    program,
    'cp <paths...>',
    {
      summary:
        'copy within the cluster by reference: takes no room and next to no time. With -r symbolic links stay links',
      example: 'holdfast cp /photos/cat.jpg /best/\nholdfast cp -r /photos /photos-before-cleaning',
    },
    shell.terminal,
  )
    .usage('[options] <source...> <target>')
    .option('-r, --recursive', 'directories too, with everything below')
    .option('--no-clobber', 'refuse to replace a file')
    .action((paths: string[], flags: CopyFlags) => {
      const options = { noClobber: !flags.clobber, signal: shell.signal };
      return toTarget(shell, paths, flags, (client, source, target) =>
        copy(client, source, target, { ...options, isRecursive: flags.recursive ?? false }),
      );
    });
}

/** Like mv and cp everywhere: several sources, or a target that is a directory, mean "into it". */
async function toTarget(
  shell: Shell,
  paths: readonly string[],
  flags: MoveFlags,
  transfer: Transfer,
): Promise<void> {
  const last = paths.at(-1);
  const sources = paths.slice(0, -1).map(remotePath);
  if (last === undefined || sources.length === 0) throw usage('Name at least one source and a target.');
  const target = parseRemotePath(last);
  await shell.withClient(flags, async (client) => {
    const isExact = flags.targetDirectory === false;
    if (isExact && sources.length > 1) throw usage('-T names one source and what it shall become.');
    const kind = isExact ? undefined : await kindAt(client, target.path, shell.signal);
    const isDirectory = kind === 'directory';
    if (!isExact && !isDirectory && (sources.length > 1 || target.isDirectory))
      throw notADirectory(target.path, kind);
    const targetOf = (source: string): string =>
      isDirectory ? joinPath(target.path, baseName(source)) : target.path;
    refuseTwins(sources, targetOf);
    await eachPath(shell, sources, async (source) => {
      const to = targetOf(source);
      await transfer(client, source, to);
      await shell.output.result({ source, target: to }, () => `${source} -> ${to}`);
    });
  });
}

async function copy(
  client: Client,
  source: string,
  target: string,
  options: MoveOptions & { readonly isRecursive: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { kind } = await client.stat(source, options);
  if (kind !== 'directory') return client.copy(source, target, options);
  if (!options.isRecursive) throw needsRecursive('cp', source);
  // The copy would walk into itself and never end.
  if (source === '/' || target === source || target.startsWith(`${source}/`))
    throw usage(`Cannot copy ${source} into itself (${target}).`);
  for await (const entry of client.walk(source, options)) {
    const path = target + entry.path.slice(source.length);
    if (entry.stat.kind === 'directory') await client.mkdir(path, { parents: true, signal: options.signal });
    else if (entry.stat.kind === 'symlink')
      await putLink(client, entry.stat.linkTarget, path, {
        ifAbsent: options.noClobber ?? false,
        signal: options.signal,
      });
    else await client.copy(entry.path, path, options);
  }
}
