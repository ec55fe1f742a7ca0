/**
 * @module A large namespace in a real metadata process, after `big-tree.ts --out DIR`:
 * `node test/bench/big-namespace.ts --tree DIR [--seconds 10] [--in-flight 64] [--cache 256MiB] [--no-snapshot] [--json]`.
 *
 * Works on a copy of the tree, which is removed. Says how long a restart takes until the first linearizable answer, how
 * fast a directory is paged through, stats and touches per second, what a cached file takes of memory, and how a second,
 * empty node is brought up to date while touches go on; all with the delays of the leader's event loop and its memory.
 */
import { constants } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NodeProcess } from '../../cli/demo/node-process.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { type Client, connect } from '../../src/index.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import { percentile } from './statistics.ts';
import { Probe, type ProbeReport } from './probe.ts';
import { usageOf } from './process-usage.ts';
import { BIG_DIRECTORY, TreeRows, type TreeShape } from './tree-rows.ts';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    tree: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    'in-flight': { type: 'string', default: '64' },
    cache: { type: 'string' },
    snapshot: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
  },
});
if (values.tree === undefined) throw new Error('Say which tree: --tree DIR, as big-tree.ts wrote it');
const tree = resolve(values.tree);
const inFlight = Number(values['in-flight']);
const runMs = Number(values.seconds) * 1000;
const MIB = 1024 * 1024;
const POLL_MS = 100;
const SNAPSHOT_TIMEOUT_MS = 600_000;
/** Touches that go on while a snapshot is made and sent: a cluster at work, not one at its limit. */
const BACKGROUND_IN_FLIGHT = 4;
/** Operations that took so long are told one by one, with when they began: the nodes' logs say what happened then. */
const SLOW_MS = 250;
const SHOWN_SLOW = 12;

const shape = JSON.parse(await readFile(join(tree, 'tree.json'), 'utf8')) as TreeShape;
const rows = new TreeRows(shape);
const directory = await mkdtemp(join(dirname(tree), 'big-namespace-'));
await cp(join(tree, 'm1'), join(directory, 'm1'), { recursive: true, mode: constants.COPYFILE_FICLONE });
await cp(join(tree, 'client'), join(directory, 'client'), { recursive: true });
await adoptCopy();
await mkdir(join(directory, 'probe'));
const probe = new Probe(join(directory, 'probe'));
const nodes: NodeProcess[] = [];
try {
  const report: Record<string, unknown> = { files: shape.files, blocksPerFile: shape.blocksPerFile };
  await measure(report);
  console.log(values.json ? JSON.stringify(report) : report);
} finally {
  await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  await rm(directory, { recursive: true });
}

/** A copied directory is taken for one put back from a backup, and nobody else could vouch for this one. */
async function adoptCopy(): Promise<void> {
  const log = await openRaftLog(join(directory, 'm1', 'raft.db'), { logger: silentLogger });
  await log.adopt();
  await log.close();
}

/** Fills `report` as it goes. */
async function measure(report: Record<string, unknown>): Promise<void> {
  const { node, client, ...restarted } = await restart();
  await using _ = client;
  const { pid } = node.ready;
  const note = async (name: string, work: () => Promise<Record<string, unknown>>): Promise<void> => {
    report[name] = await observed(pid, work);
    if (!values.json) console.error(name, report[name]);
  };
  report['databaseMib'] = round((await stat(join(directory, 'm1', 'namespace.db'))).size / MIB);
  report['cache'] = values.cache ?? 'default';
  report['restart'] = restarted.report;
  if (!values.json) console.error('restart', restarted.report);
  await note('listing', () => page(client));
  await note('statOfAnyFile', () => statFiles(client, shape.files));
  await note('statOfCachedFiles', () => cachedFiles(client, pid));
  await note('touches', () => touchFiles(client, 'load', inFlight, runMs));
  if (values.snapshot) await note('snapshot', () => bringUpToDate(client, node));
  report['peakRssMib'] = round(usageOf(pid)?.peakRssMib ?? 0);
  report['loadAverage'] = loadavg()[0];
}

/** From the start of the process to the first linearizable answer. */
async function restart(): Promise<{ node: NodeProcess; client: Client; report: Record<string, unknown> }> {
  const startMs = performance.now();
  const cache = values.cache === undefined ? [] : ['--metadata-cache', values.cache];
  const m1 = join(directory, 'm1');
  const words = ['node', 'start', '--dir', m1, '--log-level', 'info', ...cache];
  const node = await NodeProcess.start({ name: 'm1', directory: m1, words });
  nodes.push(node);
  const readyMs = performance.now() - startMs;
  const client = await connect({ profileDir: join(directory, 'client') });
  await client.stat(rows.pathOf(0));
  const report = { readyMs: round(readyMs), servingMs: round(performance.now() - startMs) };
  return { node, client, report: { ...report, ...memoryOf(await probe.report(node.ready.pid)) } };
}

/** Reads the biggest directory to its end, a page after the other. */
async function page(client: Client): Promise<Record<string, unknown>> {
  const startMs = performance.now();
  let firstMs = 0;
  let longestMs = 0;
  let lastMs = startMs;
  let entries = 0;
  for await (const _ of client.list(BIG_DIRECTORY)) {
    const nowMs = performance.now();
    if (entries++ === 0) firstMs = nowMs - startMs;
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }
  const seconds = (performance.now() - startMs) / 1000;
  return {
    entries,
    firstMs: round(firstMs),
    longestGapMs: round(longestMs),
    perSecond: Math.round(entries / seconds),
  };
}

/** Linearizable stats of files drawn evenly from the first `count`. */
function statFiles(client: Client, count: number): Promise<Record<string, unknown>> {
  return rate(inFlight, runMs, (at) => client.stat(rows.pathOf(scattered(at, count))));
}

/** Every file of a small share of the tree once, then what memory grew by, then the same files again. */
async function cachedFiles(client: Client, pid: number): Promise<Record<string, unknown>> {
  const count = Math.min(shape.files, 50_000);
  const before = await probe.report(pid);
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < count) await client.stat(rows.pathOf(next++));
    }),
  );
  const after = await probe.report(pid);
  const grownBytes = after.heapUsedBytes - before.heapUsedBytes;
  return {
    files: count,
    heapBytesPerFile: Math.round(grownBytes / count),
    ...(await observed(pid, () => statFiles(client, count))),
  };
}

async function touchFiles(
  client: Client,
  name: string,
  lanes: number,
  durationMs: number,
): Promise<Record<string, unknown>> {
  await client.mkdir(`/${name}`);
  return rate(lanes, durationMs, (at) => client.touch(`/${name}/${at}`));
}

/** A second node joins with an empty disk; done when it votes, that is when it has the snapshot and the log behind it. */
async function bringUpToDate(client: Client, leader: NodeProcess): Promise<Record<string, unknown>> {
  const token = (await readFile(join(tree, 'token'), 'utf8')).trim();
  const m2 = join(directory, 'm2');
  const stopping = new AbortController();
  const touching = touchUntil(client, stopping.signal);
  const startMs = performance.now();
  const words = ['cluster', 'join', token, '--role', 'meta', '--start', '--dir', m2, '--name', 'm2'];
  const more = [
    '--profile',
    join(directory, 'client'),
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--log-level',
    'info',
  ];
  const second = await NodeProcess.start({ name: 'm2', directory: m2, words: [...words, ...more] });
  nodes.push(second);
  for (;;) {
    const { metadataNodes, commit, leader: leading, answeredBy } = await client.status({ stale: true });
    const joiner = metadataNodes.find(({ member }) => member?.number === second.ready.number);
    // Only the leader knows how far others are. Touches go on, so a moment behind is as far as it comes.
    const isThere = joiner?.raftRole === 'voter' && joiner.match > commit - BACKGROUND_IN_FLIGHT * 4;
    if (answeredBy === leading && isThere) break;
    if (performance.now() - startMs > SNAPSHOT_TIMEOUT_MS)
      throw new Error(`The joiner did not catch up: ${leader.logTail}`);
    await sleep(POLL_MS);
  }
  const seconds = (performance.now() - startMs) / 1000;
  stopping.abort();
  const meanwhile = await touching;
  const caughtUp = await probe.report(second.ready.pid);
  if (meanwhile['slowest'] !== undefined) console.error(leader.logTail, second.logTail);
  const bytes = (await stat(join(m2, 'namespace.db'))).size;
  return {
    seconds: round(seconds),
    mib: round(bytes / MIB),
    mibPerSecond: round(bytes / MIB / seconds),
    touchesMeanwhile: meanwhile,
    joiner: { loop: delaysOf(caughtUp), ...memoryOf(caughtUp) },
  };
}

async function touchUntil(client: Client, signal: AbortSignal): Promise<Record<string, unknown>> {
  await client.mkdir('/meanwhile');
  return rate(BACKGROUND_IN_FLIGHT, Infinity, (at) => client.touch(`/meanwhile/${at}`), signal);
}

async function observed(
  pid: number,
  work: () => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  await probe.report(pid);
  const result = await work();
  const report = await probe.report(pid);
  return {
    ...result,
    loop: delaysOf(report),
    ...memoryOf(report),
  };
}

function delaysOf(report: ProbeReport): Record<string, unknown> {
  return {
    p99Ms: round(report.p99Ms),
    p999Ms: round(report.p999Ms),
    maxMs: round(report.maxMs),
    turnCpuMaxMs: round(report.turnCpuMaxMs),
  };
}

async function rate(
  lanes: number,
  durationMs: number,
  operation: (at: number) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  const latencies: number[] = [];
  const slowest: { atMs: number; tookMs: number }[] = [];
  const startMs = performance.now();
  let next = 0;
  const isOver = (): boolean => performance.now() - startMs >= durationMs || signal?.aborted === true;
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const at = next++;
      const sentMs = performance.now();
      await operation(at);
      const tookMs = performance.now() - sentMs;
      latencies.push(tookMs);
      if (tookMs >= SLOW_MS) slowest.push({ atMs: round(sentMs - startMs), tookMs: round(tookMs) });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return {
    perSecond: Math.round((latencies.length / (performance.now() - startMs)) * 1000),
    p50Ms: round(percentile(latencies, 0.5)),
    p99Ms: round(percentile(latencies, 0.99)),
    maxMs: round(percentile(latencies, 1)),
    ...(slowest.length > 0 && { slowest: slowest.slice(0, SHOWN_SLOW) }),
  };
}

function memoryOf({ rssBytes, heapUsedBytes }: ProbeReport): Record<string, unknown> {
  return { rssMib: round(rssBytes / MIB), heapMib: round(heapUsedBytes / MIB) };
}

/** Numbers below `count` that look drawn at random, the same in every run. */
function scattered(at: number, count: number): number {
  return (Math.imul(at + 1, 0x9e3779b1) >>> 0) % count;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
