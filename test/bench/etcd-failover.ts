/** @module The etcd side of the failover suite, by the peers' scripts: up-etcd.sh, failover-etcd.sh, down-etcd.sh. */
import type { FailoverCase } from './failover-suite.ts';
import type { PeerScripts } from './peer-scripts.ts';
import type { Contender, Sample } from './suite.ts';

/** What failover-etcd.sh prints for a kill. */
interface KillReport {
  readonly first_ack_after_kill_ms: number;
}

export class EtcdFailover implements Contender<FailoverCase> {
  readonly name = 'etcd';
  readonly durability =
    'fsync on a majority of 3 before the answer; clients try the next member after 250 ms';
  readonly #peers: PeerScripts;

  private constructor(peers: PeerScripts) {
    this.#peers = peers;
  }

  static async start(peers: PeerScripts): Promise<EtcdFailover> {
    await peers.run('up-etcd.sh');
    return new EtcdFailover(peers);
  }

  /** The script only kills. */
  async measure({ name }: FailoverCase): Promise<Sample | undefined> {
    if (name !== 'killed') return undefined;
    const [report] = await this.#peers.run<KillReport>('failover-etcd.sh', ['1']);
    if (report === undefined) throw new Error('failover-etcd.sh reported no kill.');
    return { figure: report.first_ack_after_kill_ms, details: { ...report } };
  }

  peakRssMib(): number {
    return this.#peers.peakRssMib('etcd');
  }

  async stop(): Promise<void> {
    await this.#peers.run('down-etcd.sh');
  }
}
