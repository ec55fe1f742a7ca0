/**
 * @module How long writes stand still when the leader is gone: `npm run bench -- failover [--case killed,hung]
 * [--in-flight 16] [--runs 10] [--against etcd]`; a run is one leader lost in each way.
 *
 * killed: SIGKILL. A killed process closes its connections, which the others notice at once.
 * hung: SIGSTOP, and SIGKILL only after the measurement: nobody is told, as with a cable pulled out.
 */
import { chosenOf } from './bench-request.ts';
import { EtcdFailover } from './etcd-failover.ts';
import { HoldfastFailover } from './holdfast-failover.ts';
import type { Case, Suite } from './suite.ts';

export interface FailoverCase extends Case {
  readonly name: 'killed' | 'hung';
}

const cases: readonly FailoverCase[] = [
  { name: 'killed', unit: 'ms', per: 'leader lost' },
  { name: 'hung', unit: 'ms', per: 'leader lost' },
];

// The peers' script has sixteen writers.
const defaults = { case: 'killed', 'in-flight': 16 };

export const suite: Suite<FailoverCase, typeof defaults> = {
  options: defaults,
  runs: 10,
  plan({ case: named, 'in-flight': inFlight }) {
    return {
      cases: chosenOf(named, cases),
      holdfast: () => HoldfastFailover.start(inFlight),
      peers: { etcd: (peers) => EtcdFailover.start(peers) },
    };
  },
};
