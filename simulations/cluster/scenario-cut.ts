/** @module A part of a seed's scenario: fewer clients or nodes. */
import { drawScenario, type Profile, type Scenario } from './scenario.ts';

export interface ScenarioCut {
  readonly seed: number;
  readonly profile: Profile;
  /** At most these; absent: as drawn. */
  readonly clients?: number;
  readonly nodes?: number;
  readonly datanodes?: number;
}

export function cutScenario({ seed, profile, clients, nodes, datanodes }: ScenarioCut): Scenario {
  const whole = drawScenario(seed, profile);
  return {
    ...whole,
    clients: Math.min(whole.clients, clients ?? whole.clients),
    nodes: Math.min(whole.nodes, nodes ?? whole.nodes),
    datanodes: Math.min(whole.datanodes, datanodes ?? whole.datanodes),
  };
}
