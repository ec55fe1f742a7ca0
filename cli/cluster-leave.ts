/** @module `holdfast cluster leave`: takes this machine's node out of the cluster for good. */
import type { Command } from 'commander';
import { addClientCommand, addDirectoryOption, type ClientFlags, type NodeFlags } from './options.ts';
import type { Shell } from './shell.ts';

interface LeaveFlags extends NodeFlags, ClientFlags {
  readonly force?: boolean;
}

export function addLeaveCommand(group: Command, shell: Shell): void {
  const command = addClientCommand(
    group,
    'leave',
    {
      summary: 'take the node of this data directory out of the cluster; its number is never used again',
      example: 'holdfast cluster leave\nholdfast cluster leave --dir /srv/holdfast',
    },
    shell.terminal,
  );
  addDirectoryOption(command, shell.terminal)
    .option('--force', 'also when a quorum or the last copies of blocks would be lost')
    .action((flags: LeaveFlags) => leave(shell, flags));
}

async function leave(shell: Shell, flags: LeaveFlags): Promise<void> {
  const { markAsLeft, readConfig } = await import('../src/node/data-directory.ts');
  const { number, roles } = await readConfig(flags.dir);
  await shell.withClient(flags, async (client) => {
    await client.removeMember(number, { force: flags.force ?? false, signal: shell.signal });
  });
  // A metadata node stops by itself once raft does without it, and writes this down then: until then it may be needed.
  const stopsItself = roles.includes('meta');
  if (!stopsItself) await markAsLeft(flags.dir);
  await shell.output.result({ number, left: true }, () => [
    `Member ${number} has left the cluster.`,
    stopsItself
      ? 'Its process ends by itself as soon as the other metadata nodes do without it.'
      : 'Stop its process.',
    `${flags.dir} is of no further use once no file needs the copies in it.`,
  ]);
}
