/**
 * @module One big file through real processes: `node test/bench/bulk.ts [--mib 1024] [--copies 3] [--data-nodes 4] [--json]`.
 *
 * Puts a local file and gets it into another, as the commands do. Prints MB/s of both, CPU seconds per GiB over all processes, and the peak memory of each kind of process.
 * Every acknowledged block is fsynced on each of its datanodes; everything runs on this machine's loopback and disk. Making the
 * file and comparing the two is not measured.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { createDemoFile, sha256Of } from '../../cli/demo/demo-file.ts';
import { collectBuffersApart } from '../../cli/garbage-collection.ts';
import { MIB } from '../../src/common/bytes.ts';
import { measured, usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    copies: { type: 'string', default: '3' },
    'data-nodes': { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
// The client here is treated as the command treats itself.
collectBuffersApart();
const sizeBytes = Number(values.mib) * MIB;
const loadBefore = loadavg()[0];

await using directory = await temporaryDirectory();
const [source, target] = [join(directory.path, 'source'), join(directory.path, 'target')];
const file = createDemoFile(sizeBytes);
await pipeline(file.bytes, createWriteStream(source, { flush: true }));

await using cluster = await LocalCluster.start({
  metadataNodes: 3,
  dataNodes: Number(values['data-nodes']),
  replication: Number(values.copies),
});
const pids = [process.pid, ...cluster.nodes.map(({ ready }) => ready.pid)];
await using client = await cluster.connect();

const put = await measured(pids, () => client.put('/bulk', read(source), { sizeBytes }));
const got = await measured(pids, async () =>
  pipeline((await client.get('/bulk')).bytes, createWriteStream(target, { flush: true })),
);
const isIdentical = file.sha256() === (await sha256Of(read(target)));

const gib = sizeBytes / 1024 / MIB;
const report = {
  mib: sizeBytes / MIB,
  copies: Number(values.copies),
  loadBefore,
  putMbPerSecond: round(sizeBytes / 1e6 / put.seconds),
  putCpuSecondsPerGib: round(put.cpuSeconds / gib),
  getMbPerSecond: round(sizeBytes / 1e6 / got.seconds),
  getCpuSecondsPerGib: round(got.cpuSeconds / gib),
  identical: isIdentical,
  underReplicatedBlocks: put.result.underReplicatedBlocks,
  peakRssMib: Object.fromEntries([
    ['client', round(usageOf(process.pid)?.peakRssMib ?? 0)],
    ...cluster.nodes.map(({ name, ready }) => [name, round(usageOf(ready.pid)?.peakRssMib ?? 0)]),
  ]),
};
if (values.json) console.log(JSON.stringify(report));
else console.table(report);
if (!report.identical) process.exitCode = 1;

function read(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: MIB });
}

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-bulk-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
