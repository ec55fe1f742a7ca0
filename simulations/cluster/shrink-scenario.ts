/** @module Makes a failing scenario small enough to be read: fewer faults, clients, nodes and workloads, and less time. */
import { shrinkList, shrinkNumber } from '../shrink.ts';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

/** Between the last fault and the end, in milliseconds: what it leads to takes some time. */
const REST_MS = 1_000;

/** `failure` is that of the whole; only a part that fails in the same way counts. */
export async function shrinkScenario(whole: Scenario, failure: Error): Promise<Scenario> {
  const fails = async (part: Scenario): Promise<boolean> =>
    (await runScenario(part)).failure?.name === failure.name;
  const faults = await shrinkList(whole.faults, (part) => fails({ ...whole, faults: part }));
  let small: Scenario = { ...whole, faults };
  const clients = await shrinkNumber(small.clients, (number) => fails({ ...small, clients: number }));
  small = { ...small, clients };
  const nodes = await shrinkNumber(small.nodes, (number) => fails({ ...small, nodes: number }));
  small = { ...small, nodes };
  const datanodes = await shrinkNumber(small.datanodes, (number) => fails({ ...small, datanodes: number }));
  small = { ...small, datanodes };
  const workloads = await shrinkList(small.workloads, (part) => fails({ ...small, workloads: part }));
  small = { ...small, workloads };
  const shorter = { ...small, faultyMs: (faults.at(-1)?.atMs ?? 0) + REST_MS };
  return shorter.faultyMs < small.faultyMs && (await fails(shorter)) ? shorter : small;
}
