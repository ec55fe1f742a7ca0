/**
 * @module `npm run bench:simulations -- [--seeds 5]`: simulated against real time of a cluster of 3 metadata nodes, 5 datanodes
 * and 8 clients under the profile rough; all workloads at once, everything else as the seed draws it. Whole runs, from the
 * founding to the last check, one after the other in one process. Real time is that of the processor (all threads), so that a
 * busy machine does not count.
 */
import { parseArgs } from 'node:util';
import { SUPPORTED_FEATURE_LEVEL } from '../src/namespace/feature-level.ts';
import { runScenarioLean } from './cluster/run-scenario.ts';
import { drawScenario } from './cluster/scenario.ts';
import { drawDatanodeFaults } from './cluster/datanode-faults.ts';
import type { WorkloadName } from './workloads/all-workloads.ts';
import { WORKLOADS } from './workloads/all-workloads.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '5' } } });

const SIZE = { nodes: 3, datanodes: 5, clients: 8 };
/** Mean time between two faults of datanodes, as in the profile rough, in milliseconds. */
const FAULT_PERIOD_MS = 2_500;
const MICROSECONDS_PER_MS = 1_000;

let simulatedMs = 0;
let processorMs = 0;
let events = 0;
let operations = 0;
for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
  const drawn = drawScenario(seed, 'rough');
  const { faultyMs } = drawn;
  const datanodeFaults = drawDatanodeFaults(seed, { ...SIZE, faultyMs, periodMs: FAULT_PERIOD_MS });
  const before = process.cpuUsage();
  const run = await runScenarioLean({
    ...drawn,
    ...SIZE,
    firstLevel: SUPPORTED_FEATURE_LEVEL,
    workloads: Object.keys(WORKLOADS) as WorkloadName[],
    faults: [...drawn.faults.filter(({ kind }) => !kind.startsWith('data-')), ...datanodeFaults],
  });
  const { user, system } = process.cpuUsage(before);
  if (run.failure !== undefined) throw run.failure;
  const tookMs = (user + system) / MICROSECONDS_PER_MS;
  console.log(
    `seed ${seed}: ${(run.simulatedMs / 1000).toFixed(1)} s simulated in ${(tookMs / 1000).toFixed(1)} s of one core, ` +
      `${run.events} events, ${(run.simulatedMs / tookMs).toFixed(1)} : 1`,
  );
  simulatedMs += run.simulatedMs;
  processorMs += tookMs;
  events += run.events;
  for (const count of Object.values(run.operations)) operations += count;
}
console.log(
  `${(simulatedMs / processorMs).toFixed(1)} : 1, with ${Math.round(operations / (simulatedMs / 1000))} operations of clients ` +
    `a simulated second; ${Math.round(events / (processorMs / 1000))} events a second`,
);
