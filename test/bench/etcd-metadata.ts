/** @module The etcd side of the metadata suite, by the peers' scripts: up-etcd.sh, etcd-load.mjs, down-etcd.sh. */
import type { MetadataCase } from './metadata-suite.ts';
import type { PeerScripts } from './peer-scripts.ts';
import { round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';

/** Bytes of a value: what a `touch` weighs in our log. */
const VALUE_BYTES = 256;

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

export class EtcdMetadata implements Contender<MetadataCase> {
  readonly name = 'etcd';
  readonly durability = 'fsync on a majority of 3 before the answer; in the clear';
  readonly #peers: PeerScripts;
  readonly #seconds: number;

  private constructor(peers: PeerScripts, seconds: number) {
    this.#peers = peers;
    this.#seconds = seconds;
  }

  static async start(peers: PeerScripts, seconds: number): Promise<EtcdMetadata> {
    await peers.run('up-etcd.sh');
    return new EtcdMetadata(peers, seconds);
  }

  /** etcd is always asked at its leader. */
  async measure({ operation, inFlight }: MetadataCase): Promise<Sample> {
    const mode = operation === 'change' ? 'put' : 'get';
    const words = [mode, String(inFlight), String(this.#seconds), 'leader', String(VALUE_BYTES)];
    const [report] = await this.#peers.run<LoadReport>('etcd-load.mjs', words);
    if (report === undefined || report.errs > 0)
      throw new Error(`etcd-load.mjs reported ${report?.errs ?? 'no'} errors for ${words.join(' ')}.`);
    const operations = report.ops_s * report.secs;
    const cpuSeconds = ((report.client_cpu_s + report.server_cpu_s) / operations) * 1000;
    return {
      figure: report.ops_s,
      cpuSeconds: round(cpuSeconds, 3),
      details: { p50Ms: report.p50, p99Ms: report.p99 },
    };
  }

  peakRssMib(): number {
    return this.#peers.peakRssMib('etcd');
  }

  async stop(): Promise<void> {
    await this.#peers.run('down-etcd.sh');
  }
}
