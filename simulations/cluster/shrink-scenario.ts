/** @module Makes a failing scenario small enough to be read: first fewer faults, then fewer clients and nodes. */
import { shrinkList, shrinkNumber } from '../shrink.ts';
import { runScenario } from './run-scenario.ts';
import { drawScenario } from './scenario.ts';
import { cutScenario, type ScenarioCut } from './scenario-cut.ts';

/** `failure` is that of the whole; only a part that fails in the same way counts. */
export async function shrinkScenario(whole: ScenarioCut, failure: Error): Promise<ScenarioCut> {
  const fails = async (cut: ScenarioCut): Promise<boolean> => {
    const run = await runScenario(cutScenario(cut));
    return run.failure?.name === failure.name;
  };
  const drawn = drawScenario(whole.seed, whole.profile);
  const all = whole.keep ?? drawn.faults.map((_, place) => place);
  const keep = await shrinkList(all, (part) => fails({ ...whole, keep: part }));
  const most = whole.clients ?? drawn.clients;
  const clients = await shrinkNumber(most, (number) => fails({ ...whole, keep, clients: number }));
  const mostNodes = whole.nodes ?? drawn.nodes;
  const nodes = await shrinkNumber(mostNodes, (number) => fails({ ...whole, keep, clients, nodes: number }));
  return { ...whole, keep, clients, nodes };
}
