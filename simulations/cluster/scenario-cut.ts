/** @module A part of a seed's scenario: fewer clients or nodes. */
import { drawScenario, type Profile, type Scenario } from './scenario.ts';

export interface ScenarioCut {
  readonly seed: number;
  readonly profile: Profile;
  /** At most these; absent: as drawn. */
  readonly clients?: number;
  readonly nodes?: number;
}

export function cutScenario({ seed, profile, clients, nodes }: ScenarioCut): Scenario {
  const whole = drawScenario(seed, profile);
  return {
    ...whole,
    clients: Math.min(whole.clients, clients ?? whole.clients),
    nodes: Math.min(whole.nodes, nodes ?? whole.nodes),
  };
}
