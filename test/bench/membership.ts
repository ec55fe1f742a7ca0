/**
 * @module Membership changes under load: `node test/bench/membership.ts [--changes 1000] [--seed 1] [--writers 4]
 * [--readers 2] [--json]`.
 *
 * A cluster in this process, on a memory network: three voters and one to three learners. From the seed, one change
 * after the other: a node joins; one is removed (the leader, too); a voter dies and a learner takes its place; leadership
 * moves. Meanwhile clients write registers, each of them its own, make directories that exist once, and read. Bar:
 * every answer linearizable and no change lost or done twice; no three seconds without an acknowledged write.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runMembershipChanges } from '../metadata/membership-run.ts';

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    writers: { type: 'string', default: '4' },
    readers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const MAX_GAP_MS = 3_000;
const startMs = performance.now();
const { tookMs, violations, failed, fatal, ...counts } = await runMembershipChanges({
  changes: Number(values.changes),
  seed: Number(values.seed),
  writers: Number(values.writers),
  readers: Number(values.readers),
  onChange: (done, kind, took) => {
    if (!values.json && done % 50 === 0) console.log(`${done} changes; the last, ${kind}, took ${took} ms`);
  },
});
const sorted = tookMs.toSorted((a, b) => a - b);
const report = {
  seed: Number(values.seed),
  ...counts,
  changeMs: { median: sorted[Math.floor(sorted.length / 2)], longest: sorted.at(-1) },
  failed: failed.length,
  violations: violations.length,
  fatal: fatal.length,
  seconds: Math.round((performance.now() - startMs) / 1000),
  loadAverage: loadavg()[0],
};
console.log(values.json ? JSON.stringify(report) : report);
for (const line of [...violations, ...fatal, ...failed].slice(0, 20)) console.error(line);
if (violations.length + fatal.length > 0 || report.longestGapMs > MAX_GAP_MS) process.exitCode = 1;
