/**
 * @module `npm run bench:simulations -- [--seeds 5] [--workloads all|drawn]`: simulated against real time of a cluster of
 * 3 metadata nodes, 5 datanodes and 8 clients under the profile rough, in two readings side by side: all workloads at once,
 * and the workloads that the seed draws for such a cluster; everything else as the seed draws it. Whole runs, from the
 * founding to the last check, one after the other in one process. Real time is that of the processor (all threads), so that a
 * busy machine does not count.
 */
import { parseArgs } from 'node:util';
import { SUPPORTED_FEATURE_LEVEL } from '../src/namespace/feature-level.ts';
import { Prng } from './prng.ts';
import { runScenarioLean } from './cluster/run-scenario.ts';
import { drawScenario } from './cluster/scenario.ts';
import { drawDatanodeFaults } from './cluster/datanode-faults.ts';
import { DRAWN_WORKLOADS, drawWorkloads, type WorkloadName } from './workloads/all-workloads.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, workloads: { type: 'string' } },
});

const SIZE = { nodes: 3, datanodes: 5, clients: 8 };
/** Mean time between two faults of datanodes, as in the profile rough, in milliseconds. */
const FAULT_PERIOD_MS = 2_500;
const MICROSECONDS_PER_MS = 1_000;

/** One way to understand what is to be measured. */
class Reading {
  readonly name: string;
  readonly #workloads: (seed: number) => readonly WorkloadName[];
  #simulatedMs = 0;
  #processorMs = 0;
  #events = 0;
  #operations = 0;

  constructor(name: string, workloads: (seed: number) => readonly WorkloadName[]) {
    this.name = name;
    this.#workloads = workloads;
  }

  async run(seed: number): Promise<void> {
    const drawn = drawScenario(seed, 'rough');
    const { faultyMs } = drawn;
    const datanodeFaults = drawDatanodeFaults(seed, { ...SIZE, faultyMs, periodMs: FAULT_PERIOD_MS });
    const before = process.cpuUsage();
    const run = await runScenarioLean({
      ...drawn,
      ...SIZE,
      firstLevel: SUPPORTED_FEATURE_LEVEL,
      workloads: this.#workloads(seed),
      faults: [...drawn.faults.filter(({ kind }) => !kind.startsWith('data-')), ...datanodeFaults],
    });
    const { user, system } = process.cpuUsage(before);
    if (run.failure !== undefined) throw run.failure;
    const tookMs = (user + system) / MICROSECONDS_PER_MS;
    const operations = Object.values(run.operations).reduce((sum, count) => sum + count, 0);
    console.log(
      `seed ${seed}, ${this.name}: ${(run.simulatedMs / 1000).toFixed(1)} s simulated in ${(tookMs / 1000).toFixed(1)} s ` +
        `of one core, ${operations} operations, ${run.events} events, ${(run.simulatedMs / tookMs).toFixed(1)} : 1`,
    );
    this.#simulatedMs += run.simulatedMs;
    this.#processorMs += tookMs;
    this.#events += run.events;
    this.#operations += operations;
  }

  report(): string {
    const simulatedS = this.#simulatedMs / 1000;
    const processorS = this.#processorMs / 1000;
    return (
      `${this.name}: ${(simulatedS / processorS).toFixed(1)} : 1, ` +
      `with ${Math.round(this.#operations / simulatedS)} operations of clients a simulated second; ` +
      `${Math.round(this.#events / processorS)} events a second`
    );
  }
}

const all = new Reading('all workloads at once', () => DRAWN_WORKLOADS);
const drawn = new Reading('workloads as drawn', (seed) =>
  drawWorkloads(new Prng(seed, 'workloads'), { datanodes: SIZE.datanodes, level: SUPPORTED_FEATURE_LEVEL }),
);
const readings = values.workloads === 'all' ? [all] : values.workloads === 'drawn' ? [drawn] : [all, drawn];
for (let seed = 1; seed <= Number(values.seeds); seed += 1)
  for (const reading of readings) await reading.run(seed);
for (const reading of readings) console.log(reading.report());
