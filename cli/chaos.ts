/** @module `holdfast chaos`: real processes under real faults, and whether every promise held. */
import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { addCommand, wholeNumber } from './options.ts';
import type { Shell } from './shell.ts';

interface ChaosFlags {
  readonly minutes: number;
  readonly seed?: number;
  readonly report?: string;
}

/** Of minutes: a second of it is too short for one fault, and more than a day fits no page. */
const MIN_MINUTES = 0.05;
const MAX_MINUTES = 1_440;
const DEFAULT_MINUTES = 2;
const MAX_SEED: number = 2 ** 32 - 1;

export function addChaosCommand(program: Command, shell: Shell): void {
  addCommand(program, 'chaos', {
    summary:
      'run a cluster of real processes here, kill, stop, cut off and fill up its nodes, and judge what clients saw',
    example: 'holdfast chaos --minutes 5\nsudo holdfast chaos --minutes 60 --report chaos.html',
  })
    .option('--minutes <number>', 'how long faults are made', parseMinutes, DEFAULT_MINUTES)
    .option(
      '--seed <number>',
      'draws the faults and the work; another each time when absent',
      wholeNumber(0, MAX_SEED),
    )
    .option('--report <file>', 'leave a page about the run (HTML)')
    .action(async ({ seed = randomInt(MAX_SEED), ...flags }: ChaosFlags) => {
      const { runChaos } = await import('./chaos/run-chaos.ts');
      await runChaos(shell, { ...flags, seed });
    });
}

function parseMinutes(text: string): number {
  const minutes = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(minutes >= MIN_MINUTES && minutes <= MAX_MINUTES))
    throw new InvalidArgumentError(`Write a number from ${MIN_MINUTES} to ${MAX_MINUTES}.`);
  return minutes;
}
