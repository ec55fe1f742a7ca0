/** @module A scenario as a file: small, readable, and kept as a test long after the seed it came from draws another one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { drawScenario, type Scenario } from './scenario.ts';

/** Rises when a kept scenario would mean something else. */
const FORMAT = 1;

interface ScenarioFile {
  readonly format: number;
  /** What it ended in when it was kept. */
  readonly failure: string;
  readonly scenario: Scenario;
}

export function keepScenario(path: string, scenario: Scenario, failure: Error): void {
  const file: ScenarioFile = { format: FORMAT, failure: firstLineOf(failure), scenario };
  writeFileSync(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** What has been added to scenarios since is drawn from its seed. Throws RangeError when the file holds none. */
export function loadScenario(path: string): Scenario {
  const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<ScenarioFile>;
  if (file.format !== FORMAT || file.scenario === undefined)
    throw new RangeError(`${path} holds no scenario of format ${FORMAT}.`);
  const { seed, profile } = file.scenario;
  return { ...drawScenario(seed, profile), ...file.scenario };
}

function firstLineOf({ message }: Error): string {
  return message.split('\n')[0] ?? '';
}
