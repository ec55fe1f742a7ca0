/** @module What a run of chaos came to: for programs, and for people. */
import { formatDuration } from '../duration.ts';
import type { ContentWorkload } from './content-workload.ts';
import type { RecordedFault } from './fault-injector.ts';
import type { HistoryVerdict } from './history-verdict.ts';
import type { Machines } from './machines.ts';
import type { Recorder } from './recorder.ts';

export interface ChaosResult {
  readonly seed: number;
  readonly machines: Machines;
  readonly recorder: Recorder;
  readonly faults: readonly RecordedFault[];
  /** Names of all nodes. */
  readonly nodes: readonly string[];
  /** When the last fault had ended. */
  readonly healedMs: number;
  readonly verdicts: Readonly<Record<'registers' | 'names', HistoryVerdict>>;
  readonly content: ContentWorkload;
  /** Files, which are gone when the run is. */
  readonly histories: readonly string[];
  /** The end of each node's log, by its name. */
  readonly logs: ReadonlyMap<string, string>;
  /** A sentence each. */
  readonly violations: readonly string[];
}

export interface Summary {
  readonly facts: object;
  readonly lines: readonly string[];
}

export function summarize(result: ChaosResult): Summary {
  const { seed, machines, recorder, verdicts, content, violations, faults, healedMs } = result;
  const kinds = countKinds(faults);
  const { totals, codes } = recorder;
  const facts = {
    ok: violations.length === 0,
    seed,
    seconds: Math.round(healedMs / 1000),
    operations: totals,
    errors: Object.fromEntries(codes),
    faults: kinds,
    registers: withoutPicture(verdicts.registers),
    names: withoutPicture(verdicts.names),
    files: {
      acknowledged: content.acknowledged,
      compared: content.compared,
      violations: content.violations.length,
    },
    violations,
    missing: Object.fromEntries(machines.missing),
  };
  const lines = [
    '',
    `${formatDuration(healedMs)} under faults (seed ${seed}): ${describeCounts(kinds)}.`,
    `Operations: ${describeCounts(totals)}.`,
    `Registers: ${describeVerdict(verdicts.registers)}. Names: ${describeVerdict(verdicts.names)}.`,
    `Files: ${content.acknowledged} acknowledged, ${content.compared} reads compared byte for byte, ${content.violations.length} lost or altered.`,
    violations.length === 0 ? 'All promises held.' : `${violations.length} PROMISES DID NOT HOLD:`,
    ...violations.map((violation) => `  ${violation}`),
  ];
  return { facts, lines };
}

export function countKinds(faults: readonly RecordedFault[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export function describeVerdict({ operations, verdict, part }: HistoryVerdict): string {
  return `${operations} operations, ${verdict}${part === undefined ? '' : ` (${part})`}`;
}

function describeCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function withoutPicture({ operations, verdict, part }: HistoryVerdict): object {
  return { operations, verdict, ...(part !== undefined && { part }) };
}
