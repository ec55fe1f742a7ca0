/** @module `holdfast cluster remove`: takes another node out of the cluster, unless something would be lost by it. */
import type { Command } from 'commander';
import { memberNumber } from './member-name.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';

interface RemoveFlags extends ClientFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function addRemoveCommand(group: Command, shell: Shell): void {
  addClientCommand(
    group,
    'remove <node>',
    {
      summary:
        'take a node (by number or name) out for good, e.g. one whose machine is gone; its number is not used again',
      example: 'holdfast cluster remove 4 --dry-run\nholdfast cluster remove 4',
    },
    shell.terminal,
  )
    .option('--dry-run', 'only say what would be lost')
    .option('--force', 'also when a quorum or the last copies of blocks would be lost')
    .action((node: string, flags: RemoveFlags) => remove(shell, node, flags));
}

async function remove(shell: Shell, node: string, flags: RemoveFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const number = await memberNumber(client, node, shell.signal);
    const { force = false, dryRun = false } = flags;
    const answer = await client.removeMember(number, { force, dryRun, signal: shell.signal });
    const { concerns, removed, member } = answer;
    await shell.output.result({ number, name: member?.name, removed, dryRun, concerns }, () =>
      dryRun
        ? [
            `Node ${number} (${member?.name}) ${removed ? 'has left already' : 'would be removed'}.`,
            ...lostLines(concerns),
          ]
        : [`Node ${number} (${member?.name}) is removed. It stops by itself if it runs.`, ...concerns],
    );
  });
}

function lostLines(concerns: readonly string[]): string[] {
  return concerns.length === 0
    ? ['Nothing would be lost.']
    : ['It would be refused without --force:', ...concerns.map((concern) => `  ${concern}`)];
}
