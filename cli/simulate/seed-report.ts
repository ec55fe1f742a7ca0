/** @module One seed as the simulation program reports it: a line of JSON (simulations/run-cluster-seeds.ts). */

export interface SeedReport {
  readonly seed: number;
  readonly profile: string;
  readonly simulatedMs: number;
  readonly events: number;
  /** How often each thing happened, by name; 0 for what there is to be seen and was not. */
  readonly exercised: Readonly<Record<string, number>>;
  /** Of clients, by outcome. */
  readonly operations: Readonly<Record<string, number>>;
  /** Only of one that failed, and so the rest. */
  readonly failure?: string;
  /** What to type to see it again. */
  readonly replay?: string;
  /** The last lines of its trace. */
  readonly trace?: readonly string[];
  /** What is left of its scenario where it was made smaller. */
  readonly shrunk?: unknown;
}

/** Undefined for a line that is none: something printed by a package, say. */
export function parseReport(line: string): SeedReport | undefined {
  if (!line.startsWith('{')) return undefined;
  const value: unknown = JSON.parse(line);
  return isReport(value) ? value : undefined;
}

function isReport(value: unknown): value is SeedReport {
  return typeof value === 'object' && value !== null && 'seed' in value && 'exercised' in value;
}
