/** @module `holdfast ln -s`: symbolic links. */
import type { Command } from 'commander';
import { usage } from './errors.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { joinPath, parseRemotePath } from './remote-path.ts';
import { kindAt } from './remote-kind.ts';
import type { Shell } from './shell.ts';

interface LinkFlags extends ClientFlags {
  readonly symbolic?: boolean;
}

export function addLinkCommand(program: Command, shell: Shell): void {
  addClientCommand(
    program,
    'ln <target> <path>',
    {
      summary:
        'make a symbolic link at a path; the target is kept as it is typed, a relative one starts where the link is',
      example: 'holdfast ln -s 2026/november /photos/latest\nholdfast ln -s /photos/cat.jpg /best.jpg',
    },
    shell.terminal,
  )
    .option('-s, --symbolic', 'needed: there are no other links')
    .action((target: string, path: string, flags: LinkFlags) => link(shell, target, path, flags));
}

async function link(shell: Shell, target: string, text: string, flags: LinkFlags): Promise<void> {
  if (!flags.symbolic) throw usage('Only symbolic links can be made: add -s.');
  const { signal } = shell;
  const at = parseRemotePath(text);
  await shell.withClient(flags, async (client) => {
    const name = target.split('/').findLast((part) => part !== '') ?? '';
    const isInto = name !== '' && (await kindAt(client, at.path, signal)) === 'directory';
    const path = isInto ? joinPath(at.path, name) : at.path;
    await client.symlink(target, path, { signal });
    await shell.output.result({ path, target }, () => `${path} -> ${target}`);
  });
}
