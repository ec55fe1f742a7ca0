/** @module Asks processes that were started with the loop-delay probe what they measured. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Delays of the event loop since the last report, and memory now. */
export interface ProbeReport {
  readonly number: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** The most processor time one turn of the event loop took: what `maxMs` would be if nothing else ran. */
  readonly turnCpuMaxMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
}

const POLL_MS = 5;
const MODULE: string = new URL('loop-delay-probe.ts', import.meta.url).href;

export class Probe {
  readonly #directory: string;
  readonly #seen = new Map<number, number>();

  /** Children started from now on carry the probe. */
  constructor(directory: string) {
    this.#directory = directory;
    process.env['HOLDFAST_PROBE_DIR'] = directory;
    process.env['NODE_OPTIONS'] = `--import=${MODULE}`;
  }

  async report(pid: number): Promise<ProbeReport> {
    process.kill(pid, 'SIGUSR2');
    for (;;) {
      const report = await this.#read(pid);
      if (report !== undefined && report.number > (this.#seen.get(pid) ?? 0)) {
        this.#seen.set(pid, report.number);
        return report;
      }
      await sleep(POLL_MS);
    }
  }

  async #read(pid: number): Promise<ProbeReport | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#directory, `${pid}.json`), 'utf8')) as ProbeReport;
    } catch {
      // It has not written yet.
      return undefined;
    }
  }
}
