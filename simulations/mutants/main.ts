/**
 * @module `npm run mutants -- [--only NAME]… [--seeds 500] [--from 1] [--all-seeds] [--jobs N] [--json | --markdown]`: puts
 * each shipped bug back, and says whether its scenario catches it and which seed of the swarm finds it. First of all it
 * shows that the scenarios, and as many seeds of the core, find nothing in the code as it is.
 * Exit status 1 when a scenario lets a mutant through or 500 seeds do not meet it, when it does not apply any more, or when
 * something is found where no bug is; 2 for options that make no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { MUTANTS, mutantNamed } from './all-mutants.ts';
import { bugTable } from './bug-table.ts';
import { hunt, type Trial } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { lineOf, tableOf } from './report.ts';
import type { Order } from './trial-order.ts';
import { isCaught, SEEDS_TO_BE_MET, type Verdict, verdictOf } from './verdict.ts';

const OPTIONS = {
  only: { type: 'string', multiple: true, default: [] as string[] },
  seeds: { type: 'string', default: `${SEEDS_TO_BE_MET}` },
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

type Seeds = Pick<Order, 'firstSeed' | 'lastSeed' | 'countAll'>;

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
  const order = { firstSeed, lastSeed, countAll: values['all-seeds'] };
  const healthy = await hunt({ ...order, scenarios: 'all', swarm: 'raft', countAll: true });
  const isHealthy = reportHealthy(healthy);

  let done = 0;
  const verdicts = await inParallel(mutants, wholeNumber('--jobs', values.jobs, 1), async (mutant) => {
    const verdict = await judge(mutant, order);
    done += 1;
    console.error(`[${done}/${mutants.length}] ${lineOf(verdict)}`);
    return verdict;
  });
  print(verdicts, values);
  return isHealthy && verdicts.every(isCaught);
}

/** A seed that fails without the mutant as well has not found it. */
async function judge(mutant: Mutant, seeds: Seeds): Promise<Verdict> {
  const { name, scenario } = mutant;
  if (typeof mutant.swarm !== 'string') {
    const none = { ...seeds, lastSeed: seeds.firstSeed - 1 };
    return verdictOf(mutant, await hunt({ ...none, mutant: name, scenarios: [scenario], swarm: 'raft' }));
  }
  const { swarm } = mutant;
  const verdict = verdictOf(mutant, await hunt({ ...seeds, mutant: name, scenarios: [scenario], swarm }));
  const [seed] = verdict.foundBy;
  // The seeds of the core have shown before that they find nothing.
  if (seed === undefined || swarm === 'raft') return verdict;
  const { found } = await hunt({ firstSeed: seed, lastSeed: seed, countAll: false, scenarios: [], swarm });
  return found.length === 0
    ? verdict
    : { ...verdict, broken: `seed ${seed} fails without it, too: ${found[0]?.failure ?? ''}` };
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
