/** @module The table of simulations/README.md: each shipped bug with its scenarios, its mutants, and the seeds that find them. */
import { SHIPPED_BUGS } from '../shipped-bugs.ts';
import { seedsOf } from './report.ts';
import type { Verdict } from './verdict.ts';

const HEADINGS = ['bug', 'what', 'shipped in', 'applies', 'scenario', 'mutant', 'the swarm'];

/** In Markdown; bugs of which there is no verdict are left out. */
export function bugTable(verdicts: readonly Verdict[]): string {
  const rows = SHIPPED_BUGS.flatMap(({ id, what, source, applies = 'yes' }) =>
    verdicts
      .filter(({ bug }) => bug === id)
      .map((verdict, at) => [
        ...(at === 0 ? [id, what, source, applies] : [id, '', '', '']),
        `\`${verdict.scenario}\``,
        `\`${verdict.mutant}\``,
        seedsOf(verdict),
      ]),
  );
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
