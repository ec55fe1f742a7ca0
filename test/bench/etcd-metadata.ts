/** @module The etcd side of the metadata benchmark, by the scripts of a folder of peers: up-etcd.sh, etcd-load.mjs, down-etcd.sh. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Case, Contender, Sample } from './metadata-case.ts';
import { usageOf } from './process-usage.ts';
import { round } from './statistics.ts';

const run = promisify(execFile);

/** Bytes of a value: what a `touch` weighs in our log. */
const VALUE_BYTES = 256;
/** How long the scripts may take to install and start etcd. */
const START_TIMEOUT_MS = 300_000;

/** What etcd-load.mjs prints. */
interface LoadReport {
  readonly ops_s: number;
  readonly p50: number;
  readonly p99: number;
  readonly errs: number;
  readonly client_cpu_s: number;
  readonly server_cpu_s: number;
  readonly secs: number;
}

export class EtcdMetadata implements Contender {
  readonly name = 'etcd';
  readonly durability = 'fsync on a majority of 3 before the answer; in the clear';
  readonly #scripts: string;
  readonly #home: string;

  private constructor(scripts: string, home: string) {
    this.#scripts = scripts;
    this.#home = home;
  }

  /** `scripts`: the folder with the scripts; etcd's data goes to a temporary directory. */
  static async start(scripts: string): Promise<EtcdMetadata> {
    const etcd = new EtcdMetadata(scripts, await mkdtemp(join(tmpdir(), 'holdfast-bench-')));
    await run(join(scripts, 'up-etcd.sh'), { env: etcd.#env, timeout: START_TIMEOUT_MS });
    return etcd;
  }

  async measure({ operation, inFlight }: Case, seconds: number): Promise<Sample> {
    const mode = operation === 'mutation' ? 'put' : 'get';
    const words = [mode, String(inFlight), String(seconds), 'leader', String(VALUE_BYTES)];
    const program = join(this.#scripts, 'etcd-load.mjs');
    const { stdout } = await run(process.execPath, [program, ...words], { env: this.#env });
    const report = JSON.parse(stdout) as LoadReport;
    if (report.errs > 0) throw new Error(`etcd's load met ${report.errs} errors: ${stdout}`);
    const operations = report.ops_s * report.secs;
    return {
      perSecond: report.ops_s,
      p50Ms: report.p50,
      p99Ms: report.p99,
      cpuSecondsPer1000: round(((report.client_cpu_s + report.server_cpu_s) / operations) * 1000, 3),
    };
  }

  peakRssMib(): number {
    const pids = join(this.#home, 'pids');
    const texts = readdirSync(pids).map((file) => readFileSync(join(pids, file), 'utf8'));
    return Math.max(0, ...texts.map((text) => usageOf(Number(text))?.peakRssMib ?? 0));
  }

  async stop(): Promise<void> {
    await run(join(this.#scripts, 'down-etcd.sh'), { env: this.#env });
    await rm(this.#home, { recursive: true, force: true });
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, PEERS_HOME: this.#home, PIDS: join(this.#home, 'pids') };
  }
}
