/** @module Membership changes one after the other under load, from a seed: nodes come, go, die and lead. */
import { connect } from '../../src/client/connect.ts';
import type { Client } from '../../src/client/client.ts';
import { systemClock } from '../../src/common/clock.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { Prng } from '../../simulations/prng.ts';
import { CLUSTER_ID, TestCluster } from './cluster.ts';
import { type LoadReport, RegisterLoad, type RegisterLoadOptions } from './register-load.ts';

export interface MembershipRunOptions extends RegisterLoadOptions {
  readonly changes: number;
  readonly seed: number;
  readonly onChange?: (done: number, kind: ChangeKind, tookMs: number) => void;
}

export type ChangeKind = 'add' | 'remove' | 'replace' | 'transfer';

export interface MembershipReport extends LoadReport {
  readonly changes: Readonly<Record<ChangeKind, number>>;
  /** Of each change, from its request until it shows in the configuration, in milliseconds. */
  readonly tookMs: readonly number[];
  /** Nodes that failed, other than by being removed. */
  readonly fatal: readonly string[];
}

/** What takes days elsewhere takes seconds here: so does what a client knows of it. */
const REFRESH_PERIOD_MS = 200;
/** An administrator gives up after this. */
const RETRY_LIMIT_MS = 15_000;
/** A dead voter's place is taken after this, in milliseconds: short, so that many changes fit into a run. */
const VOTER_REPLACEMENT_MS = 400;
const VOTERS = 3;
/** Three that vote and one that waits, so that any may go; and a few more. */
const FEWEST_NODES = 4;
const MOST_NODES = 6;
/** Small, so that newcomers begin with a snapshot. */
const MAX_LOG_ENTRIES = 2_000;
const TRAILING_ENTRIES = 200;

export async function runMembershipChanges(options: MembershipRunOptions): Promise<MembershipReport> {
  const cluster = await TestCluster.start(FEWEST_NODES, {
    voters: VOTERS,
    voterReplacementMs: VOTER_REPLACEMENT_MS,
    maxLogEntries: MAX_LOG_ENTRIES,
    trailingEntries: TRAILING_ENTRIES,
  });
  try {
    await using client = await openClient(cluster);
    const load = await RegisterLoad.start(client, new Prng(options.seed, 'load'), options);
    const run = new MembershipRun(cluster, client, new Prng(options.seed, 'membership'));
    const tookMs: number[] = [];
    for (let done = 0; done < options.changes; done += 1) {
      const startMs = systemClock.monotonicMs();
      const kind = await run.change();
      tookMs.push(Math.round(systemClock.monotonicMs() - startMs));
      options.onChange?.(done + 1, kind, tookMs.at(-1) ?? 0);
    }
    const report = await load.stop();
    return { ...report, changes: run.changes, tookMs, fatal: cluster.fatal.map(String) };
  } finally {
    await cluster.stop();
  }
}

async function openClient(cluster: TestCluster): Promise<Client> {
  const network = await cluster.client();
  const peers = [...cluster.nodes.values()].map(({ peer }) => ({ peer, addresses: [] }));
  const profile = { clusterId: CLUSTER_ID, clusterName: 'test', peers };
  return connect({ network, profile, refreshPeriodMs: REFRESH_PERIOD_MS });
}

class MembershipRun {
  readonly changes: Record<ChangeKind, number> = { add: 0, remove: 0, replace: 0, transfer: 0 };
  readonly #cluster: TestCluster;
  readonly #client: Client;
  readonly #prng: Prng;

  constructor(cluster: TestCluster, client: Client, prng: Prng) {
    this.#cluster = cluster;
    this.#client = client;
    this.#prng = prng;
  }

  /** Makes one change and waits until it shows. */
  async change(): Promise<ChangeKind> {
    const kind = this.#kind();
    this.changes[kind] += 1;
    if (kind === 'add') await this.#add();
    else if (kind === 'remove') await this.#remove(this.#prng.pick([...this.#cluster.nodes.keys()]));
    else if (kind === 'replace') await this.#replace();
    else await this.#transfer();
    return kind;
  }

  #kind(): ChangeKind {
    const { size } = this.#cluster.nodes;
    const kind = this.#prng.pick<ChangeKind>([
      'add',
      'add',
      'remove',
      'remove',
      'transfer',
      'transfer',
      'replace',
    ]);
    if (kind === 'add' && size >= MOST_NODES) return 'remove';
    return kind === 'remove' && size <= FEWEST_NODES ? 'add' : kind;
  }

  async #add(): Promise<void> {
    const { number } = await this.#cluster.addNode();
    await this.#untilConfigured('the newcomer is in', (nodes) => nodes.includes(number));
    await this.#untilAllVote();
  }

  /** Any node, also the leader: it hands over, goes, and stops by itself. */
  async #remove(number: number): Promise<void> {
    await this.#retry(() => this.#client.removeMember(number));
    await this.#untilConfigured('the one that left is out', (nodes) => !nodes.includes(number));
    await this.#cluster.until('it stopped', () => this.#forgetRetired(number));
    await this.#cluster.discard(number);
    await this.#untilAllVote();
  }

  /** A voter dies; a learner that waits takes its place by itself; the dead one is taken out of the registry. */
  async #replace(): Promise<void> {
    await this.#untilAllVote();
    const dead = this.#prng.pick(this.#cluster.voters());
    await this.#cluster.discard(dead);
    await this.#cluster.until(`somebody votes for ${dead}`, () => {
      const voters = this.#cluster.voters();
      return voters.length === VOTERS && !voters.includes(dead);
    });
    await this.#retry(() => this.#client.removeMember(dead));
    await this.#untilConfigured('the dead one is out', (nodes) => !nodes.includes(dead));
    if (this.#cluster.nodes.size < FEWEST_NODES) await this.#cluster.addNode();
  }

  async #transfer(): Promise<void> {
    await this.#untilAllVote();
    const to = this.#prng.pick(this.#cluster.voters());
    await this.#retry(() => this.#client.transferLeader(to));
  }

  #untilAllVote(): Promise<unknown> {
    return this.#cluster.until('three vote', () => this.#cluster.voters().length === VOTERS);
  }

  async #untilConfigured(what: string, holds: (nodes: readonly number[]) => boolean): Promise<void> {
    await this.#cluster.until(what, () => {
      for (const { node } of this.#cluster.nodes.values()) {
        const { voters, votersOutgoing, learners } = node.status().confState;
        if (node.isLeader && votersOutgoing.length === 0) return holds([...voters, ...learners]);
      }
      return false;
    });
  }

  /** Takes the removed node's farewell off the list of failures. */
  #forgetRetired(number: number): boolean {
    const { fatal } = this.#cluster;
    const position = fatal.findIndex(
      (error) => isHoldfastError(error, 'METADATA_REMOVED') && error.facts['number'] === number,
    );
    if (position >= 0) fatal.splice(position, 1);
    return position >= 0;
  }

  /** An administrator tries again while leadership moves, or until voters that came a moment ago were heard. */
  async #retry(attempt: () => Promise<unknown>): Promise<void> {
    let last: unknown;
    const succeeded = async (): Promise<boolean> => {
      try {
        await attempt();
        return true;
      } catch (error) {
        const isPassing =
          isHoldfastError(error) &&
          (error.kind !== 'refused' ||
            ['METADATA_REMOVAL_UNSAFE', 'METADATA_NOT_A_VOTER'].includes(error.code));
        if (!isPassing) throw error;
        last = error;
        return false;
      }
    };
    const deadlineMs = systemClock.monotonicMs() + RETRY_LIMIT_MS;
    while (systemClock.monotonicMs() < deadlineMs) {
      if (await succeeded()) return;
      await new Promise((resolve) => systemClock.after(100, () => resolve(undefined)));
    }
    throw last;
  }
}
