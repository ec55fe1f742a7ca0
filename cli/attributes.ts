/** @module `holdfast chmod` and `chown`: what is stored and shown of owner and mode. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { AttributeChange } from '../src/client/client-options.ts';
import { eachPath } from './each-path.ts';
import { usage } from './errors.ts';
import { orGone } from './gone.ts';
import { type ModeChange, modeOf, octalMode, parseMode } from './mode.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

interface AttributeFlags extends ClientFlags {
  readonly recursive?: boolean;
  /** False with --no-follow. */
  readonly follow: boolean;
}

type WantedChange = Omit<AttributeChange, 'mode'> & { readonly mode?: number | ModeChange };

const NOT_ENFORCED = 'Stored and shown by ls -l and stat; nothing is enforced by it yet.';

export function addAttributeCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const chmod = addClientCommand(
    program,
    'chmod',
    {
      summary: `set the mode of files and directories. ${NOT_ENFORCED}`,
      example: 'holdfast chmod 640 /notes/secret.txt\nholdfast chmod -R go-w,a+rX /photos',
    },
    terminal,
  )
    .argument('<mode>', 'three or four octal digits, or symbols like u+x,go-w', parseMode)
    .argument('<paths...>', 'files and directories');
  addAttributeOptions(chmod).action((mode: number | ModeChange, paths: string[], flags: AttributeFlags) =>
    change(shell, paths, { mode }, flags),
  );
  const chown = addClientCommand(
    program,
    'chown',
    {
      summary: `set the owner of files and directories. ${NOT_ENFORCED}`,
      example: 'holdfast chown ada /notes\nholdfast chown -R ada:staff /photos\nholdfast chown :staff /mail',
    },
    terminal,
  )
    .argument('<owner>', 'user, user:group or :group, by name')
    .argument('<paths...>', 'files and directories');
  addAttributeOptions(chown).action((owner: string, paths: string[], flags: AttributeFlags) =>
    change(shell, paths, parseOwner(owner), flags),
  );
}

function addAttributeOptions(command: Command): Command {
  return command
    .option('-R, --recursive', 'everything below directories too; symbolic links there are left alone')
    .option('--no-follow', 'change a symbolic link itself, not what it leads to');
}

function parseOwner(text: string): Pick<AttributeChange, 'owner' | 'group'> {
  const [owner = '', group = '', ...rest] = text.split(':');
  if ((owner === '' && group === '') || rest.length > 0)
    throw usage('Write an owner as user, user:group or :group.');
  return { owner, group };
}

async function change(
  shell: Shell,
  paths: readonly string[],
  wanted: WantedChange,
  flags: AttributeFlags,
): Promise<void> {
  const { signal } = shell;
  const noFollow = !flags.follow;
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, paths.map(remotePath), async (path) => {
      for await (const found of flags.recursive ? everythingAt(client, path, signal) : [path]) {
        const changed = changeAt(client, found, wanted, { noFollow, signal });
        const said = await (found === path ? changed : orGone(changed));
        if (said === undefined) continue;
        await shell.output.result({ path: found, ...shown(said) }, () => (flags.recursive ? found : []));
      }
    });
  });
}

interface ChangeOptions {
  readonly noFollow: boolean;
  readonly signal: AbortSignal;
}

/** Resolves with what it was changed to. */
async function changeAt(
  client: Client,
  path: string,
  wanted: WantedChange,
  options: ChangeOptions,
): Promise<AttributeChange> {
  const said = await meant(client, path, wanted, options);
  await client.setAttributes(path, said, options);
  return said;
}

/** Symbols change the mode that is there, which has to be asked for. */
async function meant(
  client: Client,
  path: string,
  { mode, ...rest }: WantedChange,
  options: ChangeOptions,
): Promise<AttributeChange> {
  if (mode === undefined) return rest;
  if (typeof mode === 'number') return { ...rest, mode };
  const stat = await client.stat(path, options);
  return { ...rest, mode: mode(modeOf(stat), stat.kind === 'directory') };
}

function shown({ mode, owner, group }: AttributeChange): object {
  return {
    ...(mode !== undefined && { mode: octalMode(mode) }),
    ...(owner && { owner }),
    ...(group && { group }),
  };
}

async function* everythingAt(client: Client, path: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const entry of client.walk(path, { signal }))
    if (entry.path === path || entry.stat.kind !== 'symlink') yield entry.path;
}
