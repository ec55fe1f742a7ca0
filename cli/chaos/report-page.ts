/** @module The page about a run of chaos. */
import type { ChaosResult } from './chaos-result.ts';

export function reportPage(result: ChaosResult): string {
  return `${result.seed}`;
}
