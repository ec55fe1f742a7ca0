/** @module What was asked for on the command line of a benchmark, checked before anything is started. */
import { parseArgs } from 'node:util';
import type { Plan, Suite, SuiteOptions } from './suite.ts';

/** Of the caller, not of ours: the message alone is shown, and the status is 2. */
export class BadRequest extends Error {}

export interface BenchRequest {
  readonly plan: Plan;
  /** Peers, in the order given. */
  readonly against: readonly string[];
  /** Folder of the peers' scripts; '' when none was named. */
  readonly peers: string;
  readonly runs: number;
  readonly json: boolean;
  readonly plot: string | undefined;
}

const FAMILY = ['--against', '--peers', '--runs', '--json', '--plot'];

export function benchRequest(title: string, suite: Suite, words: readonly string[]): BenchRequest {
  const values = parsed(title, suite, words);
  const options = Object.fromEntries(
    Object.entries(suite.options).map(([name, fallback]) => [name, valueOf(name, values[name], fallback)]),
  );
  // Each has the type of its default.
  const plan = suite.plan(options as never);
  const against = String(values['against'] ?? '')
    .split(',')
    .filter((each) => each !== '');
  const peers = String(values['peers'] ?? process.env['HOLDFAST_BENCH_PEERS'] ?? '');
  checkPeers(plan, against, peers);
  return {
    plan,
    against,
    peers,
    runs: Number(valueOf('runs', values['runs'], suite.runs)),
    json: values['json'] === true,
    plot: values['plot'] === undefined ? undefined : String(values['plot']),
  };
}

/** One line: what may be said of `suite`. */
export function optionsOf(title: string, suite: Suite): string {
  const own = Object.keys(suite.options).map((name) => `--${name}`);
  return `Options of ${title}: ${[...own, ...FAMILY].join(', ')}.`;
}

/** Those of `named`, a list with commas; throws BadRequest for one that `known` does not have. */
export function chosenOf<What extends { readonly name: string }>(
  named: string,
  known: readonly What[],
): readonly What[] {
  const names = named.split(',');
  const unknown = names.find((name) => !known.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new BadRequest(`There is no '${unknown}'. There are: ${known.map(({ name }) => name).join(', ')}.`);
  return known.filter(({ name }) => names.includes(name));
}

/** A positive whole number, or BadRequest. */
export function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new BadRequest(`--${name} takes a whole number above 0, not '${text}'.`);
}

function parsed(title: string, suite: Suite, words: readonly string[]): Record<string, unknown> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...words],
      options: {
        ...Object.fromEntries(Object.keys(suite.options).map((name) => [name, text])),
        against: text,
        peers: text,
        runs: text,
        plot: text,
        json: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadRequest(`${reason}\n${optionsOf(title, suite)}`, { cause: error });
  }
}

function valueOf(name: string, given: unknown, fallback: SuiteOptions[string]): string | number {
  if (given === undefined) return fallback;
  return typeof fallback === 'number' ? positive(name, String(given)) : String(given);
}

function checkPeers({ peers, withoutScripts = [] }: Plan, against: readonly string[], folder: string): void {
  const unknown = against.find((peer) => peers[peer] === undefined);
  if (unknown !== undefined)
    throw new BadRequest(
      `'${unknown}' cannot be measured here. --against takes: ${Object.keys(peers).join(', ') || 'nobody'}.`,
    );
  if (against.some((peer) => !withoutScripts.includes(peer)) && folder === '')
    throw new BadRequest('Say with --peers DIR or HOLDFAST_BENCH_PEERS where the scripts of the peers are.');
}
