/**
 * @module One big file through real processes: `node test/bench/bulk.ts [--mib 1024] [--copies 3] [--data-nodes 4] [--json]`.
 *
 * Prints MB/s of put and get, CPU seconds per GiB over all processes, and the peak memory of each kind of process.
 * Every acknowledged block is fsynced on each of its datanodes; everything runs on this machine's loopback and disk.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { createDemoFile, sha256Of } from '../../cli/demo/demo-file.ts';
import { countBuffersApart } from '../../cli/garbage-collection.ts';
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
countBuffersApart();
const sizeBytes = Number(values.mib) * MIB;
const loadBefore = loadavg()[0];

await using cluster = await LocalCluster.start({
  metadataNodes: 3,
  dataNodes: Number(values['data-nodes']),
  replication: Number(values.copies),
});
const pids = [process.pid, ...cluster.nodes.map(({ ready }) => ready.pid)];
await using client = await cluster.connect();
const file = createDemoFile(sizeBytes);

const put = await measured(pids, () => client.put('/bulk', file.bytes, { sizeBytes }));
const got = await measured(pids, async () => sha256Of((await client.get('/bulk')).bytes));

const gib = sizeBytes / 1024 / MIB;
const report = {
  mib: sizeBytes / MIB,
  copies: Number(values.copies),
  loadBefore,
  putMbPerSecond: round(sizeBytes / 1e6 / put.seconds),
  putCpuSecondsPerGib: round(put.cpuSeconds / gib),
  getMbPerSecond: round(sizeBytes / 1e6 / got.seconds),
  getCpuSecondsPerGib: round(got.cpuSeconds / gib),
  identical: file.sha256() === got.result,
  underReplicatedBlocks: put.result.underReplicatedBlocks,
  peakRssMib: Object.fromEntries([
    ['client', round(usageOf(process.pid)?.peakRssMib ?? 0)],
    ...cluster.nodes.map(({ name, ready }) => [name, round(usageOf(ready.pid)?.peakRssMib ?? 0)]),
  ]),
};
if (values.json) console.log(JSON.stringify(report));
else console.table(report);
if (!report.identical) process.exitCode = 1;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
