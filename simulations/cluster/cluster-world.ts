/** @module What every process of a simulated cluster shares. */
import type { LogFields, Logger } from '../../src/common/logger.ts';
import type { World } from '../world/world.ts';
import type { SimulatedSwitch } from '../world/simulated-switch.ts';
import type { Trace } from '../trace.ts';
import type { ClusterOracle } from './cluster-oracle.ts';
import type { Coverage } from './coverage.ts';

export interface ClusterWorld {
  readonly world: World;
  readonly links: SimulatedSwitch;
  readonly oracle: ClusterOracle;
  readonly coverage: Coverage;
  readonly logger: (name: string) => Logger;
}

/** Writes what a process logs, except its whispers, into the trace. */
export function traceLogger(trace: Trace, world: World, name: string): Logger {
  const say = (event: string, fields: LogFields = {}): void =>
    trace.add(`${(world.nowMs / 1000).toFixed(3)} ${name}: ${event} ${JSON.stringify(fields)}`);
  return { debug: () => {}, info: say, warn: say, error: say, with: () => traceLogger(trace, world, name) };
}
