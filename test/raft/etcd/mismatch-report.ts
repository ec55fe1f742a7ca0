/** @module A disagreement between a transcript and the core as a readable diff. */
import type { Mismatch } from './transcript.ts';

/** `-` expected and missing, `+` printed and not expected. */
export function describeMismatch({ line, command, expected, actual }: Mismatch): string {
  const lines = diff(expected.split('\n'), actual.split('\n'));
  return [`  line ${line}: ${command}`, ...lines.map((text) => `    ${text}`)].join('\n');
}

/** By the longest common subsequence; texts are short enough for its table. */
function diff(expected: readonly string[], actual: readonly string[]): string[] {
  const common = lengthsOfCommon(expected, actual);
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && expected[i] === actual[j]) {
      lines.push(`  ${expected[i]}`);
      i += 1;
      j += 1;
    } else if (j === actual.length || (i < expected.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${expected[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${actual[j]}`);
      j += 1;
    }
  }
  return lines;
}

/** `[i][j]` = length of the longest common subsequence of expected[i..] and actual[j..]. */
function lengthsOfCommon(expected: readonly string[], actual: readonly string[]): number[][] {
  const table = Array.from({ length: expected.length + 1 }, () =>
    Array.from({ length: actual.length + 1 }, () => 0),
  );
  for (let i = expected.length - 1; i >= 0; i--)
    for (let j = actual.length - 1; j >= 0; j--) {
      const row = table[i];
      const below = table[i + 1];
      if (row === undefined || below === undefined) continue;
      row[j] = expected[i] === actual[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  return table;
}
