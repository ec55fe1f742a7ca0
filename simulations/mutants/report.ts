/** @module Verdicts for people: a line each as they come, and a table at the end. */
import type { Verdict } from './verdict.ts';

const HEADINGS = ['bug', 'mutant', 'scenario', 'swarm', 'seeds'] as const;

/** What is known of one, on one line. */
export function lineOf(verdict: Verdict): string {
  const { mutant, caught, broken } = verdict;
  if (broken !== undefined) return `${mutant}: NO TRIAL: ${broken}`;
  const scenario = caught === undefined ? 'NOT CAUGHT by its scenario' : 'caught by its scenario';
  const seeds = verdict.swarm === 'none' ? 'none' : seedsOf(verdict);
  return `${mutant}: ${scenario}; swarm: ${seeds}`;
}

/** Columns padded with spaces. */
export function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => [
    verdict.bug,
    verdict.mutant,
    `${verdict.scenario}${verdict.caught === undefined ? ' (NOT CAUGHT)' : ''}`,
    verdict.swarm,
    seedsOf(verdict),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [HEADINGS, ...rows].map(line).join('\n');
}

/** Which seeds found it, or why none can. */
export function seedsOf({ swarm, whyNone, seedsRun, foundBy }: Verdict): string {
  if (swarm === 'none') return whyNone ?? '';
  if (seedsRun === 0) return 'not run';
  const [first] = foundBy;
  if (first === undefined) return `NOT FOUND in ${seedsRun} seeds`;
  const share = foundBy.length > 1 ? `, and ${foundBy.length} of ${seedsRun}` : '';
  return `first in seed ${first}${share}`;
}
