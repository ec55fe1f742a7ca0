/**
 * @module The process in which one mutant is tried, since code that was loaded cannot be taken back. Its argument is an
 * Order as JSON, what it prints are TrialEvents. Nothing here may load patched code before the patch is in place.
 */
import { readdirSync } from 'node:fs';
import type { BugScenario } from '../bug-scenario.ts';
import { mutantNamed } from './all-mutants.ts';
import { patchWhenLoaded } from './source-patch.ts';
import type { Order, TrialEvent } from './trial-order.ts';

/** Runs one seed; undefined when it found nothing. */
type Finder = (seed: number) => Promise<unknown>;

const SCENARIOS = new URL('../scenarios/', import.meta.url);
/** What no bug that was put back ever causes, and a mutant that is no program does. */
const NO_PROGRAM: readonly string[] = ['SyntaxError', 'ReferenceError'];
const MOST_FAILURE_CHARACTERS = 200;

await conduct(JSON.parse(process.argv[2] ?? '{}') as Order);
// A bug may leave timers behind that nobody waits for.
process.exit();

async function conduct(order: Order): Promise<void> {
  const mutant = order.mutant === undefined ? undefined : mutantNamed(order.mutant);
  try {
    const patch = mutant === undefined ? undefined : patchWhenLoaded(mutant);
    for (const name of order.scenarios === 'all' ? allScenarios() : order.scenarios) await tryScenario(name);
    if (patch?.isDone() === false) throw new Error(`its scenario never loads ${mutant?.file ?? ''}`);
    await trySeeds(order, await finderFor(order));
    tell({ event: 'end' });
  } catch (error) {
    tell({ event: 'broken', failure: describe(error) });
  }
}

/** By file name: the one order that is the same everywhere. */
function allScenarios(): string[] {
  return readdirSync(SCENARIOS)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .toSorted();
}

async function tryScenario(name: string): Promise<void> {
  const { scenario } = (await import(new URL(`${name}.ts`, SCENARIOS).href)) as { scenario: BugScenario };
  tell({ event: 'begin', name });
  try {
    await scenario.run();
    tell({ event: 'scenario', name });
  } catch (error) {
    if (isNoProgram(error)) throw error;
    tell({ event: 'scenario', name, failure: describe(error) });
  }
}

async function trySeeds({ firstSeed, lastSeed, countAll }: Order, find: Finder): Promise<void> {
  for (let seed = firstSeed; seed <= lastSeed; seed += 1) {
    tell({ event: 'seed', seed });
    const failure = await find(seed);
    if (failure === undefined) continue;
    if (isNoProgram(failure)) throw failure;
    tell({ event: 'found', seed, failure: describe(failure) });
    if (!countAll) return;
  }
}

async function finderFor({ swarm }: Order): Promise<Finder> {
  if (swarm === 'raft') {
    const { runRaftCluster } = await import('../raft-cluster.ts');
    return async (seed) => runRaftCluster(seed).failure;
  }
  const { runScenario } = await import('../cluster/run-scenario.ts');
  const { drawScenario } = await import('../cluster/scenario.ts');
  // A bug may end in a promise that nobody waits for: that is a way of being found, too.
  let stray: unknown;
  process.on('unhandledRejection', (reason) => {
    stray ??= reason;
  });
  return async (seed) => {
    const { failure } = await runScenario(drawScenario(seed, seed % 2 === 0 ? 'rough' : 'hell'));
    return failure ?? stray;
  };
}

function isNoProgram(error: unknown): boolean {
  return error instanceof Error && NO_PROGRAM.includes(error.name);
}

function describe(error: unknown): string {
  return String(error).replaceAll(/\s+/g, ' ').slice(0, MOST_FAILURE_CHARACTERS);
}

function tell(event: TrialEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
