/** @module `holdfast gc set`: how long garbage is kept. */
import type { Command } from 'commander';
import type { CollectionSettings } from '../src/client/collection-client.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { usage } from './errors.ts';

interface SetFlags extends ClientFlags {
  readonly grace?: number;
  readonly era?: number;
}

export function addGarbageSetCommand(group: Command, shell: Shell): void {
  addClientCommand(
    group,
    'set',
    {
      summary: 'change how long it takes until a block that no file refers to is deleted',
      example: 'holdfast gc set --grace 7d\nholdfast gc set --era 2h',
    },
    shell.terminal,
  )
    .option(
      '--grace <duration>',
      'from being put aside to deletion: how long "gc undo" helps (24h)',
      parseDuration,
    )
    .option(
      '--era <duration>',
      'a block may be put aside one to two eras after it was written; writers that take longer cost a question more (1h)',
      parseDuration,
    )
    .action((flags: SetFlags) => set(shell, flags));
}

async function set(shell: Shell, { grace, era, ...flags }: SetFlags): Promise<void> {
  if (grace === undefined && era === undefined) throw usage('Say --grace or --era, or both.');
  const wanted: CollectionSettings = {
    ...(grace !== undefined && { graceMs: grace }),
    ...(era !== undefined && { eraMs: era }),
  };
  await shell.withClient(flags, async ({ collection }) => {
    const settings = await collection.configure(wanted, { signal: shell.signal });
    await shell.output.result(
      settings,
      () =>
        `An era is ${formatDuration(settings.eraMs)}, the time to deletion ${formatDuration(settings.graceMs)}.`,
    );
  });
}
