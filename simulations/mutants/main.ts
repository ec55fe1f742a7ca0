/**
 * @module `npm run mutants -- [--only NAME]… [--seeds 500] [--from 1] [--all-seeds] [--jobs N] [--json | --markdown]`: puts
 * each shipped bug back, and says whether its scenario catches it and which seed of the swarm finds it. First of all it
 * shows that the scenarios, and as many seeds of the core, find nothing in the code as it is.
 * Exit status 1 when a mutant is let through or does not apply any more, or when something is found where no bug is;
 * 2 for options that make no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { MUTANTS, mutantNamed } from './all-mutants.ts';
import { bugTable } from './bug-table.ts';
import { hunt, type Trial } from './hunt.ts';
import { lineOf, tableOf } from './report.ts';
import type { Order } from './trial-order.ts';
import { isCaught, type Verdict, verdictOf } from './verdict.ts';

const OPTIONS = {
  only: { type: 'string', multiple: true, default: [] as string[] },
  seeds: { type: 'string', default: '500' },
  from: { type: 'string', default: '1' },
  /** Counts all seeds that find a mutant, rather than stop at the first. */
  'all-seeds': { type: 'boolean', default: false },
  jobs: { type: 'string', default: `${availableParallelism()}` },
  json: { type: 'boolean', default: false },
  markdown: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;
const USAGE =
  'npm run mutants -- [--only NAME]... [--seeds 500] [--from 1] [--all-seeds] [--jobs N] [--json | --markdown]';
const USAGE_STATUS = 2;

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = USAGE_STATUS;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const mutants = values.only.length === 0 ? MUTANTS : values.only.map(mutantNamed);
  const firstSeed = wholeNumber('--from', values.from, 0);
  const lastSeed = firstSeed + wholeNumber('--seeds', values.seeds, 0) - 1;
  const order: Order = { firstSeed, lastSeed, countAll: values['all-seeds'] };
  const healthy = await hunt({ ...order, countAll: true });
  const isHealthy = reportHealthy(healthy);

  let done = 0;
  const verdicts = await inParallel(mutants, wholeNumber('--jobs', values.jobs, 1), async (mutant) => {
    const seeds = typeof mutant.swarm === 'string' ? order : { ...order, lastSeed: firstSeed - 1 };
    const verdict = verdictOf(mutant, await hunt({ ...seeds, mutant: mutant.name }));
    done += 1;
    console.error(`[${done}/${mutants.length}] ${lineOf(verdict)}`);
    return verdict;
  });
  print(verdicts, values);
  return isHealthy && verdicts.every(isCaught);
}

function reportHealthy({ scenarios, found, seedsRun, broken }: Trial): boolean {
  const failed = [...scenarios].filter(([, failure]) => failure !== undefined);
  for (const [name, failure] of failed) console.error(`scenario ${name} fails without a bug: ${failure}`);
  for (const { seed, failure } of found) console.error(`seed ${seed} fails without a bug: ${failure}`);
  if (broken !== undefined) console.error(`the code as it is could not be tried: ${broken}`);
  console.error(
    `without a bug: ${scenarios.size - failed.length} of ${scenarios.size} scenarios pass, ${found.length} of ${seedsRun} seeds of the core fail`,
  );
  return failed.length === 0 && found.length === 0 && broken === undefined;
}

function print(
  verdicts: readonly Verdict[],
  { json, markdown }: { readonly json: boolean; readonly markdown: boolean },
): void {
  const caught = verdicts.filter((verdict) => verdict.caught !== undefined).length;
  const found = verdicts.filter(({ foundBy }) => foundBy.length > 0).length;
  if (json) return console.log(JSON.stringify({ mutants: verdicts.length, caught, found, verdicts }));
  console.log(markdown ? bugTable(verdicts) : tableOf(verdicts));
  console.log(
    `\n${verdicts.length} mutants: ${caught} caught by their scenarios, ${found} found by the swarm alone`,
  );
}

/** Results in the order of `items`, whichever is done first. */
async function inParallel<T, R>(
  items: readonly T[],
  jobs: number,
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await run(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}

function wholeNumber(option: string, text: string, least: number): number {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new RangeError(`${option} takes a whole number from ${least}, not '${text}'.`);
  return Number(text);
}
