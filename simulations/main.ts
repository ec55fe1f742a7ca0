/**
 * @module `node simulations/main.ts [--kind cluster|raft] [--seed N | --seeds A..B] [--profile calm|rough|hell] [--shrink]
 * [--json]`: runs seeds, and prints how to replay those that fail. Exit status 1 when any does.
 */
import { parseArgs } from 'node:util';
import { runClusterSeeds } from './run-cluster-seeds.ts';
import { runRaftSeeds } from './run-raft-seeds.ts';
import type { Profile } from './cluster/scenario.ts';

const PROFILES: readonly string[] = ['calm', 'rough', 'hell'] satisfies readonly Profile[];
const NUMBER = /^\d+$/;

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'cluster' },
    /** A..B, both included, or N for 1..N. */
    seeds: { type: 'string', default: '1..20' },
    /** One seed alone, with the end of its trace when it fails. */
    seed: { type: 'string' },
    profile: { type: 'string', default: 'rough' },
    /** Looks for the smallest part of each failing scenario that still fails. */
    shrink: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** A part of one seed's scenario, as a shrunk one is printed. */
    keep: { type: 'string' },
    clients: { type: 'string' },
    nodes: { type: 'string' },
  },
});

const { first, last } = seedsOf(values.seed ?? values.seeds, values.seed !== undefined);
const { profile } = values;
if (!PROFILES.includes(profile)) throw new RangeError(`--profile is one of ${PROFILES.join(', ')}.`);
const isSound =
  values.kind === 'raft'
    ? runRaftSeeds({ first, last, isVerbose: values.seed !== undefined })
    : await runClusterSeeds({
        first,
        last,
        profile: profile as Profile,
        isVerbose: values.seed !== undefined,
        asJson: values.json,
        shrink: values.shrink,
        ...(values.keep !== undefined && { keep: numbersOf(values.keep) }),
        ...(values.clients !== undefined && { clients: numberOf(values.clients) }),
        ...(values.nodes !== undefined && { nodes: numberOf(values.nodes) }),
      });
process.exitCode = isSound ? 0 : 1;

function seedsOf(text: string, isOne: boolean): { readonly first: number; readonly last: number } {
  const [from = '', to] = text.split('..');
  if (to !== undefined) return { first: numberOf(from), last: numberOf(to) };
  return { first: isOne ? numberOf(from) : 1, last: numberOf(from) };
}

function numbersOf(text: string): number[] {
  return text.split(',').filter(Boolean).map(numberOf);
}

function numberOf(text: string): number {
  if (!NUMBER.test(text))
    throw new RangeError(`'${text}' is no whole number; --help is at the top of this file.`);
  return Number(text);
}
