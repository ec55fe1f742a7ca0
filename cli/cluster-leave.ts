/** @module `holdfast cluster leave`: takes a node out of the cluster for good. */
import type { Command } from 'commander';
import {
  addClientCommand,
  addDirectoryOption,
  type ClientFlags,
  type NodeFlags,
  wholeNumber,
} from './options.ts';
import type { Shell } from './shell.ts';

interface LeaveFlags extends NodeFlags, ClientFlags {
  readonly member?: number;
}

const MAX_MEMBER = 0xffff_ffff;

export function addLeaveCommand(group: Command, shell: Shell): void {
  const command = addClientCommand(
    group,
    'leave',
    {
      summary:
        'take the node of this data directory (or another, by number) out of the cluster; its number is never used again',
      example: 'holdfast cluster leave\nholdfast cluster leave --member 4',
    },
    shell.terminal,
  );
  addDirectoryOption(command, shell.terminal)
    .option('--member <number>', 'another member, e.g. one whose machine is gone', wholeNumber(1, MAX_MEMBER))
    .action((flags: LeaveFlags) => leave(shell, flags));
}

async function leave(shell: Shell, flags: LeaveFlags): Promise<void> {
  const { markAsLeft, readConfig } = await import('../src/node/data-directory.ts');
  const own = flags.member === undefined ? await readConfig(flags.dir) : undefined;
  const number = flags.member ?? own?.number ?? 0;
  await shell.withClient(flags, async (client) => {
    await client.removeMember(number, { signal: shell.signal });
  });
  if (own !== undefined) await markAsLeft(flags.dir);
  await shell.output.result({ number, left: true }, () => [
    `Member ${number} has left the cluster.`,
    ...(own === undefined
      ? []
      : [`Stop its process; ${flags.dir} is of no further use once no file needs the copies in it.`]),
  ]);
}
