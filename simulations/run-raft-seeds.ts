/** @module Seeds of the consensus core alone, many a second. */
import { runRaftCluster } from './raft-cluster.ts';

export interface RaftSeeds {
  readonly first: number;
  readonly last: number;
  readonly isVerbose: boolean;
}

/** Says whether all held. */
export function runRaftSeeds({ first, last, isVerbose }: RaftSeeds): boolean {
  let failures = 0;
  let committed = 0;
  for (let seed = first; seed <= last; seed++) {
    const run = runRaftCluster(seed);
    committed += run.committed;
    if (run.failure === undefined) {
      if (isVerbose) console.log(`seed ${seed}: ok, ${run.committed} entries, trace ${run.hash}`);
      continue;
    }
    failures += 1;
    if (isVerbose) console.error(run.tail.join('\n'));
    console.error(`seed ${seed}: ${run.failure.stack ?? run.failure.message}`);
    console.error(`  replay: node simulations/main.ts --kind raft --seed ${seed}`);
  }
  console.log(`${last - first + 1} seeds, ${failures} failures, ${committed} entries committed`);
  return failures === 0;
}
