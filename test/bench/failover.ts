/**
 * @module How long writes stand still when the leader is killed: `node test/bench/failover.ts [--kills 10]
 * [--in-flight 32] [--freeze] [--json]`.
 *
 * One client makes empty files through three real metadata processes, without pause. Again and again
 * the leader gets SIGKILL; measured is the time from the kill to the first acknowledgement of a write that was begun
 * after it. The killed node is started again before the next kill. At the end every name that was acknowledged must
 * be there, once, and no other name than those that were asked for. Bar: median below 2 s, nothing lost.
 *
 * A killed process closes its connections, which the others notice at once. With --freeze the leader gets SIGSTOP
 * instead, and SIGKILL only after the measurement: nobody is told, as with a cable pulled out.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import { percentile } from './statistics.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '10' },
    'in-flight': { type: 'string', default: '32' },
    freeze: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
const inFlight = Number(values['in-flight']);
/** Undisturbed writes between two kills, so that every kill meets a cluster at work. */
const QUIET_MS = 1_000;
const DIRECTORY = '/failover';

interface Load {
  readonly asked: Set<string>;
  readonly acknowledged: Set<string>;
  readonly failed: unknown[];
  /** Resolves with the time of the first acknowledgement of a write begun after `sinceMs`. */
  firstAfter(sinceMs: number): Promise<number>;
  stop(): Promise<void>;
}

await using cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
await using client = await cluster.connect();
await client.mkdir(DIRECTORY);
const load = startLoad(client);
const gapsMs: number[] = [];
for (let kill = 0; kill < kills; kill += 1) {
  await pause(QUIET_MS);
  const leader = await cluster.leader();
  const victim = cluster.byNumber(leader);
  if (victim === undefined) throw new Error(`no running node is the leader (${leader})`);
  const killedMs = performance.now();
  victim.signal(values.freeze ? 'SIGSTOP' : 'SIGKILL');
  gapsMs.push(Math.round((await load.firstAfter(killedMs)) - killedMs));
  await victim.kill('SIGKILL');
  if (!values.json) console.log(`kill ${kill + 1} of ${victim.name}: ${gapsMs.at(-1)} ms`);
  await cluster.startNode(victim.name);
  await cluster.settled();
}
await load.stop();

const found: string[] = [];
for await (const { name } of client.list(DIRECTORY)) found.push(name);
const present = new Set(found);
const report = {
  kills,
  inFlight,
  freeze: values.freeze,
  loadAverage: loadavg()[0],
  medianMs: percentile(gapsMs, 0.5),
  longestMs: percentile(gapsMs, 1),
  gapsMs,
  acknowledged: load.acknowledged.size,
  lost: [...load.acknowledged].filter((name) => !present.has(name)).length,
  twice: found.length - present.size,
  unasked: found.filter((name) => !load.asked.has(name)).length,
  failed: load.failed.length,
};
if (values.json) console.log(JSON.stringify(report));
else console.log(report);
if (report.lost + report.twice + report.unasked > 0) process.exitCode = 1;

function startLoad(through: Client): Load {
  const asked = new Set<string>();
  const acknowledged = new Set<string>();
  const failed: unknown[] = [];
  const watchers = new Set<(begunMs: number) => void>();
  const stopping = new AbortController();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const name = `f${next++}`;
      const begunMs = performance.now();
      asked.add(name);
      try {
        await through.touch(`${DIRECTORY}/${name}`);
        acknowledged.add(name);
        for (const watcher of watchers) watcher(begunMs);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: inFlight }, lane));
  return {
    asked,
    acknowledged,
    failed,
    firstAfter: (sinceMs) =>
      new Promise((resolve) => {
        const watcher = (begunMs: number): void => {
          if (begunMs < sinceMs) return;
          watchers.delete(watcher);
          resolve(performance.now());
        };
        watchers.add(watcher);
      }),
    async stop() {
      stopping.abort();
      await lanes;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
