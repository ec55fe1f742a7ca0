/** @module `holdfast cluster transfer-leader`: another metadata node shall lead. */
import type { Command } from 'commander';
import { memberNumber } from './member-name.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';

export function addTransferCommand(group: Command, shell: Shell): void {
  addClientCommand(
    group,
    'transfer-leader [node]',
    {
      summary: 'let another voting metadata node lead: the one that is named by number or name, or the best',
      example: 'holdfast cluster transfer-leader\nholdfast cluster transfer-leader 3',
    },
    shell.terminal,
  ).action((node: string | undefined, flags: ClientFlags) => transfer(shell, node, flags));
}

async function transfer(shell: Shell, node: string | undefined, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const { signal } = shell;
    const to = node === undefined ? 0 : await memberNumber(client, node, signal);
    const leader = await client.transferLeader(to, { signal });
    await shell.output.result({ leader }, () => `Node ${leader} leads.`);
  });
}
