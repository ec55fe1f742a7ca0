/** @module A part of a seed's scenario, as the command line names it: fewer faults, clients or nodes. */
import { drawScenario, type Profile, type Scenario } from './scenario.ts';

export interface ScenarioCut {
  readonly seed: number;
  readonly profile: Profile;
  /** Places of the faults that are kept; absent: all. */
  readonly keep?: readonly number[];
  /** At most these; absent: as drawn. */
  readonly clients?: number;
  readonly nodes?: number;
}

export function cutScenario({ seed, profile, keep, clients, nodes }: ScenarioCut): Scenario {
  const whole = drawScenario(seed, profile);
  return {
    ...whole,
    clients: Math.min(whole.clients, clients ?? whole.clients),
    nodes: Math.min(whole.nodes, nodes ?? whole.nodes),
    faults: whole.faults.filter((_, place) => keep === undefined || keep.includes(place)),
  };
}

/** What to type to see it again. */
export function replayCommand({ seed, profile, keep, clients, nodes }: ScenarioCut): string {
  return [
    `node simulations/main.ts --seed ${seed} --profile ${profile}`,
    ...(keep === undefined ? [] : [`--keep "${keep.join()}"`]),
    ...(clients === undefined ? [] : [`--clients ${clients}`]),
    ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
  ].join(' ');
}
