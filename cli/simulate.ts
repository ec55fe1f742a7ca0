/** @module `holdfast simulate`: whole clusters on a seeded world, here and now, and what they exercised. */
import { PROFILES, type Profile, type SeedRange } from './simulate/seed-range.ts';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addCommand, wholeNumber } from './options.ts';
import type { Shell } from './shell.ts';

interface SimulateFlags {
  readonly seed?: number;
  readonly seeds?: SeedRange;
  readonly scenario?: string;
  readonly profile: Profile;
  readonly minutes?: number;
  readonly jobs: number;
  readonly shrink?: boolean;
  readonly keep?: string;
}

const MAX_SEED: number = 2 ** 48;
const MAX_MINUTES = 10_000;
const MAX_JOBS = 64;
const DEFAULT_SEEDS: SeedRange = { first: 1, last: 100 };

export function addSimulateCommand(program: Command, shell: Shell): void {
  addCommand(program, 'simulate', {
    summary: 'run whole clusters with faults in a simulated world, where one seed is one run, bit for bit',
    example:
      'holdfast simulate --seeds 1..200 --jobs 2\nholdfast simulate --minutes 30 --profile hell\nholdfast simulate --seed 17 --shrink --keep small.json\nholdfast simulate --scenario small.json',
  })
    .addOption(
      new Option('--seed <number>', 'one seed; with the end of its trace when it fails')
        .argParser(wholeNumber(0, MAX_SEED))
        .conflicts(['seeds', 'minutes', 'scenario']),
    )
    .option('--seeds <from..to>', 'these seeds; 1..100 when neither seeds nor minutes are given', parseSeeds)
    .option('--minutes <number>', 'as many seeds as fit, from the first on', wholeNumber(1, MAX_MINUTES))
    .addOption(
      new Option('--profile <name>', 'how many faults: calm, rough, hell').choices(PROFILES).default('rough'),
    )
    .option(
      '--jobs <number>',
      'seeds at a time, each on a core of its own',
      wholeNumber(1, MAX_JOBS),
      Math.max(1, availableParallelism() - 1),
    )
    .option('--shrink', 'look for the smallest part of each failing scenario that still fails')
    .option('--keep <file>', 'leave the (shrunk) scenario of a seed that fails in this file')
    .addOption(
      new Option('--scenario <file>', 'run a kept scenario instead of seeds').conflicts(['seeds', 'minutes']),
    )
    .action(async ({ seed, seeds, minutes, scenario, ...flags }: SimulateFlags) => {
      const { runSimulate } = await import('./simulate/run-simulate.ts');
      const range = seed === undefined ? seeds : { first: seed, last: seed };
      await runSimulate(shell, {
        ...flags,
        ...(scenario !== undefined && { scenario }),
        ...(minutes !== undefined && { minutes }),
        // One that is to end by the clock goes on as far as it comes.
        seeds: range ?? (minutes === undefined ? DEFAULT_SEEDS : { first: 1, last: MAX_SEED }),
      });
    });
}

function parseSeeds(text: string): SeedRange {
  const [from = '', to = from] = text.split('..');
  const [first, last] = [from, to].map(wholeNumber(0, MAX_SEED));
  if (first === undefined || last === undefined || first > last)
    throw new InvalidArgumentError('Write the first and the last seed like 1..200.');
  return { first, last };
}
