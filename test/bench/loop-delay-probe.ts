/**
 * @module Loaded into a process under measurement (`node --import`): on SIGUSR2 it writes how long the event loop was held
 * up since the last time, and what the process takes of memory, to `$HOLDFAST_PROBE_DIR/<pid>.json`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProbeReport } from './probe.ts';

const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS_PER_MS = 1e3;
/** How finely delays are seen, in milliseconds; every figure includes it. */
const RESOLUTION_MS = 1;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
let reports = 0;

// What one turn of the loop computes, also where other processes take the processor away in between.
let turnCpuMaxMs = 0;
let before = process.threadCpuUsage();
setInterval(() => {
  const used = process.threadCpuUsage();
  const turnCpuMs = (used.user - before.user + used.system - before.system) / MICROSECONDS_PER_MS;
  turnCpuMaxMs = Math.max(turnCpuMaxMs, turnCpuMs);
  before = used;
}, RESOLUTION_MS).unref();

process.on('SIGUSR2', () => {
  const measured = {
    p50Ms: delays.percentile(50) / NANOSECONDS_PER_MS,
    p99Ms: delays.percentile(99) / NANOSECONDS_PER_MS,
    p999Ms: delays.percentile(99.9) / NANOSECONDS_PER_MS,
    maxMs: delays.max / NANOSECONDS_PER_MS,
    turnCpuMaxMs,
  };
  // Else the heap would mostly be what nobody refers to any more. Comes after the delays were read, and is not counted.
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const report: ProbeReport = {
    number: ++reports,
    ...measured,
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
  };
  before = process.threadCpuUsage();
  delays.reset();
  turnCpuMaxMs = 0;
  const file = join(process.env['HOLDFAST_PROBE_DIR'] ?? '.', `${process.pid}.json`);
  writeFileSync(`${file}.partial`, JSON.stringify(report));
  renameSync(`${file}.partial`, file);
});
