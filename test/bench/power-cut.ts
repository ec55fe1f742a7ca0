/** @module All processes killed at once during writes, again and again; what was acknowledged must be there. Run: node test/bench/power-cut.ts [--rounds 20] [--json] */
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { runPowerCuts } from '../e2e/support/power-cut.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});

await using cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 3 });
const rounds = await runPowerCuts(cluster, {
  rounds: Number(values.rounds),
  onRound({ round, acknowledged, restartMs, lost, stray }) {
    if (values.json) return;
    console.log(
      `round ${round}: ${acknowledged} files acknowledged, all up again after ${restartMs} ms, ${lost.length} lost, ${stray.length} stray`,
    );
    for (const line of [...lost, ...stray]) console.log(`  ${line}`);
  },
});
const lost = rounds.flatMap((round) => round.lost);
const stray = rounds.flatMap((round) => round.stray);
const acknowledgedFiles = rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
const restartMs = median(rounds.map((round) => round.restartMs));
console.log(
  JSON.stringify({
    ok: lost.length + stray.length === 0,
    rounds: rounds.length,
    acknowledgedFiles,
    lostFiles: lost.length,
    strayFiles: stray.length,
    medianRestartMs: Math.round(restartMs),
  }),
);
if (lost.length + stray.length > 0) process.exitCode = 1;
