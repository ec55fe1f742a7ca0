/** @module What every process of a simulated cluster shares. */
import type { LogFields, Logger } from '../../src/common/logger.ts';
import type { World } from '../world/world.ts';
import type { SimulatedSwitch } from '../world/simulated-switch.ts';
import type { Trace } from '../trace.ts';
import type { ClusterOracle } from './cluster-oracle.ts';
import type { Coverage, Sight } from './coverage.ts';
import type { HandoverWatch } from './handover-watch.ts';
import type { ListingErrors } from './listing-errors.ts';

export interface ClusterWorld {
  readonly world: World;
  readonly links: SimulatedSwitch;
  readonly oracle: ClusterOracle;
  readonly coverage: Coverage;
  readonly handovers: HandoverWatch;
  readonly listings: ListingErrors;
  readonly logger: (name: string) => Logger;
}

/** What processes log of their own accord and nothing else shows from outside. */
const LOGGED_SIGHTS: Readonly<Record<string, Sight>> = {
  'datanode.garbage-quarantined': 'copies put aside as garbage',
  'datanode.released': 'copies brought back',
  'datanode.deleted': 'copies deleted',
  'datanode.corrupt-block': 'rotten copies found',
  'client.datanodes-replaced': 'pipeline replacements',
};

/** Writes what a process logs, except its whispers, into the trace. */
export function traceLogger(
  { trace, world, coverage }: { readonly trace: Trace; readonly world: World; readonly coverage: Coverage },
  name: string,
): Logger {
  const say = (event: string, fields: LogFields = {}): void => {
    const sight = LOGGED_SIGHTS[event];
    if (sight !== undefined) coverage.saw(sight);
    if (event === 'worker.failed' && fields['worker'] === 'garbage-collection')
      coverage.saw('collection rounds given up');
    trace.add(`${(world.nowMs / 1000).toFixed(3)} ${name}: ${event} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: () => {}, info: say, warn: say, error: say, with: () => logger };
  return logger;
}
