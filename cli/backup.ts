/** @module `holdfast backup`: backups of the namespace, which the cluster keeps in itself. */
import type { Command } from 'commander';
import { formatBytes } from './byte-size.ts';
import { formatTime } from './duration.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

export function addBackupCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const group = program
    .command('backup')
    .description(
      'backups of the namespace (not of the bytes of files), kept as files in /.holdfast/backups: with them "recover namespace" is exact',
    );
  addClientCommand(
    group,
    'now',
    { summary: 'have one made now, besides those made every hour', example: 'holdfast backup now' },
    terminal,
  ).action((flags: ClientFlags) => now(shell, flags));
  addClientCommand(
    group,
    'list',
    {
      summary: 'which there are; "cluster set backup-every" and "backups-kept" say how often and how many',
      example: 'holdfast backup list\nholdfast cluster set backup-every 15m',
    },
    terminal,
  ).action((flags: ClientFlags) => list(shell, flags));
}

async function now(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ backups }) => {
    const made = await backups.make({ signal: shell.signal });
    await shell.output.result(
      made,
      () =>
        `The namespace as of ${formatTime(made.timeMs)} UTC is in ${made.path} (${formatBytes(made.sizeBytes)}).`,
    );
  });
}

/** With --json one line for each. */
async function list(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ backups }) => {
    const kept = await backups.list({ signal: shell.signal });
    if (shell.output.json) {
      for (const backup of kept) await shell.output.result(backup, () => []);
      return;
    }
    if (kept.length === 0) return shell.output.note('There is none yet: "holdfast backup now" makes one.');
    await shell.output.result(kept, () =>
      textTable([
        ['STATE OF (UTC)', 'SIZE', 'PATH'],
        ...kept.map(({ timeMs, sizeBytes, path }) => [formatTime(timeMs), formatBytes(sizeBytes), path]),
      ]),
    );
  });
}
