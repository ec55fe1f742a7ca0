import { expect, it } from 'vitest';
import { runMembershipChanges } from './membership-run.ts';

it('keeps every answer linearizable and stays writable while members come, go, die and lead', async () => {
  const report = await runMembershipChanges({ changes: 12, seed: 7, writers: 2, readers: 1 });
  expect(report).toMatchObject({ violations: [], fatal: [], failed: [] });
  expect(report.longestGapMs).toBeLessThan(3_000);
  expect(report.writes).toBeGreaterThan(50);
  expect(Object.values(report.changes).every((count) => count > 0)).toBe(true);
});
