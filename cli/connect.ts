/** @module `holdfast connect`: this machine's user becomes a client of a cluster. */
import type { Command } from 'commander';
import { admissionOptions } from './admission-notice.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { tokenFrom } from './token-argument.ts';

interface ConnectFlags extends ClientFlags {
  readonly name?: string;
  readonly mdns?: boolean;
}

export function addConnectCommand(program: Command, shell: Shell): void {
  addClientCommand(
    program,
    'connect <token>',
    {
      summary: 'use a cluster from this machine, without a node on it (needs a token for the role client)',
      example: 'holdfast connect hf1_…\nholdfast connect - < token   # no list of processes shows it',
    },
    shell.terminal,
  )
    .option('--name <name>', 'what the cluster calls this client (default: user@host)')
    .option('--mdns', 'look for the cluster in the local network by multicast, too, from now on')
    .action((token: string, flags: ConnectFlags) => connectWithToken(shell, token, flags));
}

async function connectWithToken(shell: Shell, token: string, flags: ConnectFlags): Promise<void> {
  const { enrol } = await import('../src/client/enrol.ts');
  const { clusterId, clusterName } = await enrol(await tokenFrom(shell, token), flags.profile, {
    ...admissionOptions(shell),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.mdns === true && { mdns: true }),
  });
  await shell.output.result({ clusterId, clusterName, profileDir: flags.profile }, () => [
    `Connected to cluster ${clusterName}. The profile is in ${flags.profile}.`,
    'Try: holdfast ls /',
  ]);
}
