/**
 * @module `node simulations/canaries.ts [--seeds 200] [--from 1] [--mutant NAME]…`: puts each bug of mutants.ts back and says in how
 * many seeds the simulation finds it. Exit status 1 when one survives.
 */
import { spawnSync } from 'node:child_process';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Mutant, MUTANTS } from './mutants.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    mutant: { type: 'string', multiple: true, default: [] },
    /** Of a child: runs the seeds with this bug in place. */
    inside: { type: 'string' },
  },
});
const seeds = Number(values.seeds);
const first = Number(values.from);
const CORE_SEEDS_PER_SEED = 5;

if (values.inside === undefined) process.exitCode = hunt() ? 0 : 1;
else await runInside(find(values.inside));

/** Each in a process of its own, since code that was loaded cannot be taken back. Says whether all were caught. */
function hunt(): boolean {
  const mutants = values.mutant.length === 0 ? MUTANTS : values.mutant.map(find);
  let survivors = 0;
  for (const { name, shipped } of mutants) {
    const self = fileURLToPath(import.meta.url);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [self, '--inside', name, '--seeds', values.seeds, '--from', values.from],
      { encoding: 'utf8' },
    );
    if (status !== 0) survivors += 1;
    const verdict = stdout.trim() || stderr.trim().split('\n').slice(0, 5).join('\n');
    console.log(`${name} (${shipped})\n  ${verdict}`);
  }
  console.log(`${mutants.length - survivors} of ${mutants.length} caught within ${seeds} seeds`);
  return survivors === 0;
}

async function runInside(mutant: Mutant): Promise<void> {
  const patch = putBack(mutant);
  // A bug may end in a promise that nobody waits for: that is a way of being found, too.
  let stray: unknown;
  process.on('unhandledRejection', (reason) => {
    stray ??= reason;
  });
  if (mutant.file.startsWith('raft/') && (await isCaughtByCore())) return;
  const { runScenario } = await import('./cluster/run-scenario.ts');
  const { drawScenario } = await import('./cluster/scenario.ts');
  if (!patch.isDone()) throw new Error(`${mutant.file} was never loaded`);
  for (let seed = first; seed < first + seeds; seed += 1) {
    const profile = seed % 2 === 0 ? 'rough' : 'hell';
    const { failure = stray } = await runScenario(drawScenario(seed, profile));
    if (failure === undefined) continue;
    return console.log(`caught by seed ${seed} (${profile}): ${firstLineOf(failure)}`);
  }
  console.log(`survived ${seeds} seeds`);
  process.exitCode = 1;
}

/** The core alone runs many more seeds in the same time. */
async function isCaughtByCore(): Promise<boolean> {
  const { runRaftCluster } = await import('./raft-cluster.ts');
  for (let seed = 1; seed <= seeds * CORE_SEEDS_PER_SEED; seed += 1) {
    const { failure } = runRaftCluster(seed);
    if (failure === undefined) continue;
    console.log(`caught by seed ${seed} of the core alone: ${firstLineOf(failure)}`);
    return true;
  }
  return false;
}

/** The file is changed as it is loaded; on the disk it stays what it is. */
function putBack({ file, find: wanted, replace }: Mutant): { readonly isDone: () => boolean } {
  const target = new URL(`../${file}`, import.meta.url).href;
  let isDone = false;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      if (source.split(wanted).length !== 2) throw new Error(`${file} does not hold this once: ${wanted}`);
      isDone = true;
      return { ...loaded, source: source.replace(wanted, () => replace) };
    },
  });
  return { isDone: () => isDone };
}

function firstLineOf(failure: unknown): string {
  return String(failure).split('\n')[0] ?? '';
}

function find(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new RangeError(`There is no mutant '${name}'.`);
  return mutant;
}
