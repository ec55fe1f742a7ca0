/** @module `holdfast cluster set`: settings of the whole cluster. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ClusterSettings } from '../src/client/client-options.ts';
import { parseBytes } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { usage } from './errors.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';

interface Setting {
  /** Of a value. */
  readonly example: string;
  readonly parse: (value: string) => ClusterSettings;
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  voters: { example: '5', parse: (value) => ({ voters: Number(value) }) },
  'voter-replacement': {
    example: '10m',
    parse: (value) => ({ voterReplacementMs: durationOrNaN(value) }),
  },
  'suspect-after': { example: '5s', parse: (value) => ({ suspectAfterMs: durationOrNaN(value) }) },
  'balance-rate': { example: '32MiB', parse: (value) => ({ balanceBytesPerSecond: bytesOrNaN(value) }) },
  'backup-every': { example: '15m', parse: (value) => ({ backupPeriodMs: durationOrNaN(value) }) },
  'backups-kept': { example: '24', parse: (value) => ({ backupsKept: Number(value) }) },
  'dead-after': { example: '2m', parse: (value) => ({ deadAfterMs: durationOrNaN(value) }) },
};

export function addSetCommand(group: Command, shell: Shell): void {
  addClientCommand(
    group,
    'set <setting> <value>',
    {
      summary:
        'change a setting: "voters" (metadata nodes that vote, 3 or 5), "voter-replacement" (silence after which a waiting one takes a place), "suspect-after" and "dead-after" (silence of a datanode after which it is avoided, and after which its copies are made anew), "balance-rate" (bytes a second that are moved from full to empty datanodes), "backup-every" and "backups-kept" (backups of the namespace, for "recover namespace")',
      example:
        'holdfast cluster set voters 5\nholdfast cluster set voter-replacement 10m\nholdfast cluster set dead-after 2m',
    },
    shell.terminal,
  ).action((setting: string, value: string, flags: ClientFlags) => set(shell, setting, value, flags));
}

async function set(shell: Shell, setting: string, value: string, flags: ClientFlags): Promise<void> {
  const known = Object.hasOwn(SETTINGS, setting) ? SETTINGS[setting] : undefined;
  if (known === undefined)
    throw usage(`There is no setting "${setting}". Settings are ${Object.keys(SETTINGS).join(', ')}.`);
  const settings = known.parse(value);
  if (Object.values(settings).some((number) => !Number.isSafeInteger(number) || number <= 0))
    throw usage(
      `"${value}" is no value for ${setting}. An example: holdfast cluster set ${setting} ${known.example}.`,
    );
  await shell.withClient(flags, async (client) => {
    const cluster = await client.configure(settings, { signal: shell.signal });
    await shell.output.result({ setting, ...settings, cluster }, () => `${setting} is now ${value}.`);
  });
}

function bytesOrNaN(value: string): number {
  return orNaN(() => parseBytes(value));
}

function durationOrNaN(value: string): number {
  return orNaN(() => parseDuration(value));
}

/** The option parser's own complaint names an option, and this is an argument. */
function orNaN(parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidArgumentError) return Number.NaN;
    throw error;
  }
}
