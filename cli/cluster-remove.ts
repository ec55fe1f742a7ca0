/** @module `holdfast cluster remove`: takes another node out of the cluster, unless something would be lost by it. */
import type { Command } from 'commander';
import { memberNumber } from './member-name.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { printable } from './output.ts';
import { type SoleFiles, soleFiles } from './sole-files.ts';
import type { Shell } from './shell.ts';

export interface RemoveFlags extends ClientFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function addRemoveCommand(group: Command, shell: Shell): void {
  addRemoveOptions(
    addClientCommand(
      group,
      'remove <node>',
      {
        summary:
          'take a node (by number or name) out for good, e.g. one whose machine is gone; its number is not used again',
        example: 'holdfast cluster remove 4 --dry-run\nholdfast cluster remove 4',
      },
      shell.terminal,
    ),
  ).action((node: string, flags: RemoveFlags) => removeNode(shell, node, flags));
}

export function addRemoveOptions(command: Command): Command {
  return command
    .option('--dry-run', 'only say what would be lost')
    .option('--force', 'also when a quorum or the last copies of blocks would be lost');
}

/** Of what a removal would lose, the files are named, too. */
export async function removeNode(shell: Shell, node: string, flags: RemoveFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const number = await memberNumber(client, node, shell.signal);
    const { force = false, dryRun = false } = flags;
    const { signal } = shell;
    const preview = await client.removeMember(number, { dryRun: true, signal });
    const files = preview.concerns.length > 0 ? await soleFiles(client, number, signal) : NO_FILES;
    if (!dryRun && !force && files.paths.length > 0) shell.output.warn(lostFiles(files).join('\n  '));
    const answer = dryRun ? preview : await client.removeMember(number, { force, signal });
    const { concerns, removed, member } = answer;
    const soleHolderOf = files.paths;
    await shell.output.result({ number, name: member?.name, removed, dryRun, concerns, soleHolderOf }, () =>
      dryRun
        ? [
            `Node ${number} (${member?.name}) ${removed ? 'has left already' : 'would be removed'}.`,
            ...lostLines(concerns),
            ...lostFiles(files),
          ]
        : [`Node ${number} (${member?.name}) is removed. It stops by itself if it runs.`, ...concerns],
    );
  });
}

const NO_FILES: SoleFiles = { paths: [], isComplete: true };

function lostFiles({ paths, isComplete }: SoleFiles): readonly string[] {
  if (paths.length === 0) return [];
  return [
    'No other living datanode has all of:',
    ...paths.map((path) => `  ${printable(path)}`),
    ...(isComplete ? [] : ['  and perhaps more']),
  ];
}

function lostLines(concerns: readonly string[]): string[] {
  return concerns.length === 0
    ? ['Nothing would be lost.']
    : ['It would be refused without --force:', ...concerns.map((concern) => `  ${concern}`)];
}
