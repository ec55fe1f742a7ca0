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
  const { format, scenario } = parse(readFileSync(path, 'utf8'));
  if (format !== FORMAT || scenario === undefined)
    throw new RangeError(`${path} holds no scenario of format ${FORMAT}, as "--keep" writes them.`);
  const { seed, profile } = scenario;
  return { ...drawScenario(seed, profile), ...scenario };
}

/** Empty for what is no object. */
function parse(text: string): Partial<ScenarioFile> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<ScenarioFile>;
  } catch {
    return {};
  }
}

function firstLineOf({ message }: Error): string {
  return message.split('\n')[0] ?? '';
}
