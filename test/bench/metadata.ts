/**
 * @module Namespace operations through three metadata processes:
 * `node test/bench/metadata.ts [--in-flight 64] [--operations 20000] [--through any|leader|follower]
 * [--writes-only] [--json]`.
 *
 * Writes are `touch` of distinct names, each committed by Raft (fsynced by a majority) before it counts; reads are
 * linearizable `stat`. One client, real processes, libp2p and SQLite, all on this machine. Bar: 3,000 writes/s at 64.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { type Client, connect } from '../../src/index.ts';
import { loadProfile } from '../../src/client/profile.ts';
import { percentile } from './percentile.ts';
import { usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    'in-flight': { type: 'string', default: '64' },
    operations: { type: 'string', default: '20000' },
    through: { type: 'string', default: 'any' },
    'writes-only': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const inFlight = Number(values['in-flight']);
const operations = Number(values.operations);
/** Not counted: sessions are opened, code is compiled. */
const WARM_UP_OPERATIONS = 2_000;

await using cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
const leader = await cluster.leader();
await using client = await connectThrough(values.through);
await client.mkdir('/bench');
await repeat(WARM_UP_OPERATIONS, (at) => client.touch(`/bench/warm-${at}`));

const writes = await rate((at) => client.touch(`/bench/${at}`));
const report = {
  inFlight,
  operations,
  through: values.through,
  loadAverage: loadavg()[0],
  writes,
  ...(!values['writes-only'] && { reads: await rate((at) => client.stat(`/bench/${at}`)) }),
};
if (values.json) console.log(JSON.stringify(report));
else console.log(report);
// A clean end, so that a profiler in the nodes (NODE_OPTIONS=--cpu-prof) can write what it saw.
await Promise.all(cluster.nodes.map((node) => node.kill('SIGTERM')));

/** `any` is what every client does; the others know one metadata node only, for comparing the ways through the cluster. */
async function connectThrough(way: string): Promise<Client> {
  if (way === 'any') return cluster.connect();
  const profile = await loadProfile(cluster.profileDir);
  const chosen = cluster.nodes.find(({ ready }) => (ready.number === leader) === (way === 'leader'));
  const peers = profile.peers.filter(({ peer }) => peer === chosen?.ready.peer);
  return connect({ profileDir: cluster.profileDir, profile: { ...profile, peers } });
}

async function rate(operation: (at: number) => Promise<unknown>): Promise<Record<string, unknown>> {
  const processes = [
    { name: 'client', pid: process.pid },
    ...cluster.nodes.map(({ ready }) => ({
      name: ready.number === leader ? 'leader' : `follower ${ready.number}`,
      pid: ready.pid,
    })),
  ].map((one) => ({ ...one, before: usageOf(one.pid)?.cpuSeconds ?? 0 }));
  const startMs = performance.now();
  const latencies = await repeat(operations, operation);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = processes.map(({ name, pid, before }) => {
    const used = (usageOf(pid)?.cpuSeconds ?? 0) - before;
    return [name, round((used / operations) * 1000, 3)] as const;
  });
  return {
    perSecond: Math.round(operations / seconds),
    p50Ms: round(percentile(latencies, 0.5), 2),
    p99Ms: round(percentile(latencies, 0.99), 2),
    cpuSecondsPer1000: Object.fromEntries(cpu),
    cpuSecondsPer1000InAll: round(
      cpu.reduce((sum, [, one]) => sum + one, 0),
      3,
    ),
  };
}

/** Runs `count` operations, `inFlight` at a time; latencies in milliseconds. */
async function repeat(count: number, operation: (at: number) => Promise<unknown>): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const startMs = performance.now();
      await operation(at);
      latencies.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return latencies;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
