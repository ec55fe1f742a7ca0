/**
 * @module The program behind `holdfast simulate`, which draws its progress and sums it up. By itself:
 * `node simulations/main.ts [--kind cluster|raft] [--seed N | --seeds A..B [--step S] | --scenario FILE] [--profile calm|rough|hell]
 * [--clients N] [--nodes N] [--shrink] [--keep FILE] [--json]`. Exit status 1 when a seed fails, 2 when there is no verdict.
 */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { runClusterSeeds } from './run-cluster-seeds.ts';
import { runRaftSeeds } from './run-raft-seeds.ts';
import type { Profile } from './cluster/scenario.ts';

const PROFILES: readonly string[] = ['calm', 'rough', 'hell'] satisfies readonly Profile[];
const NUMBER = /^\d+$/;

const OPTIONS = {
  kind: { type: 'string', default: 'cluster' },
  /** A..B, both included, or N for 1..N. */
  seeds: { type: 'string', default: '1..20' },
  /** Of the seeds every so many-th: others run the rest. */
  step: { type: 'string', default: '1' },
  seed: { type: 'string' },
  /** A kept scenario instead of seeds. */
  scenario: { type: 'string' },
  profile: { type: 'string', default: 'rough' },
  /** At most these. */
  clients: { type: 'string' },
  nodes: { type: 'string' },
  shrink: { type: 'boolean', default: false },
  /** Leaves the scenario of a seed that fails in this file. */
  keep: { type: 'string' },
  json: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;
const NO_VERDICT_STATUS = 2;

try {
  process.exitCode = (await runSeeds()) ? 0 : 1;
} catch (error) {
  // What is wrong with the words or the file; of anything else it matters where it came from.
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = NO_VERDICT_STATUS;
}

/** Whether all held. */
async function runSeeds(): Promise<boolean> {
  const { values } = parseArgs({ options: OPTIONS });
  const { first, last } = seedsOf(values.seed ?? values.seeds, values.seed !== undefined);
  const { profile } = values;
  if (!PROFILES.includes(profile)) throw new RangeError(`--profile is one of ${PROFILES.join(', ')}.`);
  if (values.kind === 'raft') return runRaftSeeds({ first, last, isVerbose: values.seed !== undefined });
  return runClusterSeeds({
    seeds: seedsBetween(first, last, numberOf(values.step)),
    profile: profile as Profile,
    asJson: values.json,
    shrink: values.shrink,
    ...(values.scenario !== undefined && { scenarioFile: values.scenario }),
    ...(values.keep !== undefined && { keepFile: values.keep }),
    ...(values.clients !== undefined && { clients: numberOf(values.clients) }),
    ...(values.nodes !== undefined && { nodes: numberOf(values.nodes) }),
  });
}

function seedsOf(text: string, isOne: boolean): { readonly first: number; readonly last: number } {
  const [from = '', to] = text.split('..');
  if (to !== undefined) return { first: numberOf(from), last: numberOf(to) };
  return { first: isOne ? numberOf(from) : 1, last: numberOf(from) };
}

function* seedsBetween(from: number, to: number, step: number): Generator<number> {
  for (let seed = from; seed <= to; seed += step) yield seed;
}

function numberOf(text: string): number {
  if (!NUMBER.test(text))
    throw new RangeError(`'${text}' is no whole number; --help is at the top of this file.`);
  return Number(text);
}
