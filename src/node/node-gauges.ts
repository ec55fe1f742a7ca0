/** @module What a node says of itself as Prometheus gauges; each is read when somebody asks. */
import { Gauge, type Registry } from 'prom-client';
import type { WorkerStanding, WorkerState } from '../common/worker.ts';
import type { KeeperReport, ScrubReport } from '../protocol/messages.ts';
import type { StoreUsage } from '../storage/block-store.ts';

export const PREFIX = 'holdfast_';
const WORKER_STATES: readonly WorkerState[] = ['waiting', 'busy', 'idle', 'done', 'stuck', 'paused'];
const MS_PER_SECOND = 1000;

type Value = readonly [labels: Readonly<Record<string, string>>, value: number];

/** `read` gives every value there is; those of the last time that are no longer among them disappear. */
function addGauge(
  registry: Registry,
  [name, help]: readonly [name: string, help: string],
  labelNames: string[],
  read: () => readonly Value[] | Promise<readonly Value[]>,
): void {
  const gauge = new Gauge({
    name: `${PREFIX}${name}`,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const values = await read();
      gauge.reset();
      for (const [labels, value] of values) gauge.set(labels, value);
    },
  });
}

export function addUsage(registry: Registry, usage: () => Promise<StoreUsage>): void {
  const bytesHelp = 'Bytes of the block store: its capacity, what is used, free, and in quarantine.';
  addGauge(registry, ['block_store_bytes', bytesHelp], ['of'], async () => {
    const { capacityBytes, usedBytes, freeBytes, quarantinedBytes } = await usage();
    return [
      [{ of: 'capacity' }, capacityBytes],
      [{ of: 'used' }, usedBytes],
      [{ of: 'free' }, freeBytes],
      [{ of: 'quarantined' }, quarantinedBytes],
    ];
  });
  addGauge(registry, ['blocks', 'Copies of blocks held here.'], ['state'], async () => {
    const { blockCount, quarantinedCount } = await usage();
    return [
      [{ state: 'in-service' }, blockCount],
      [{ state: 'quarantined' }, quarantinedCount],
    ];
  });
}

export interface RaftPosition {
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly isLeader: boolean;
}

export function addRaft(registry: Registry, raft: () => RaftPosition): void {
  const help = 'Term, commit index and applied index of the metadata log, and whether this node leads (1).';
  addGauge(registry, ['raft', help], ['of'], () => {
    const { term, commit, applied, isLeader } = raft();
    return [
      [{ of: 'term' }, term],
      [{ of: 'commit' }, commit],
      [{ of: 'applied' }, applied],
      [{ of: 'leader' }, isLeader ? 1 : 0],
    ];
  });
}

export function addWorkers(
  registry: Registry,
  workers: ReadonlyMap<string, () => readonly WorkerStanding[]>,
): void {
  const labels = ['role', 'worker'];
  const each = (value: (standing: WorkerStanding) => number): Value[] =>
    [...workers].flatMap(([role, standings]) =>
      standings().map((standing): Value => [{ role, worker: standing.name }, value(standing)]),
    );
  const stepsHelp = 'Steps of each background worker since the start.';
  addGauge(registry, ['worker_steps', stepsHelp], labels, () => each(({ steps }) => steps));
  addGauge(registry, ['worker_failures', 'Steps of it that failed.'], labels, () =>
    each(({ failures }) => failures),
  );
  addGauge(registry, ['worker_stuck', '1 while the last step failed.'], labels, () =>
    each(({ state }) => (state === 'stuck' ? 1 : 0)),
  );
  addGauge(registry, ['worker_state', '1 for the state that it is in.'], [...labels, 'state'], () =>
    WORKER_STATES.flatMap((state) =>
      each((standing) => (standing.state === state ? 1 : 0)).map(
        ([named, value]): Value => [{ ...named, state }, value],
      ),
    ),
  );
}

/** Of the shards that this metadata node decides for; the sum over all of them is the cluster's. */
export function addKeeper(registry: Registry, keeper: () => KeeperReport | undefined): void {
  const of = (values: (report: KeeperReport) => readonly Value[]) => (): readonly Value[] => {
    const report = keeper();
    return report === undefined ? [] : values(report);
  };
  const gauge = (
    name: string,
    help: string,
    labels: string[],
    values: (report: KeeperReport) => readonly Value[],
  ): void => addGauge(registry, [name, help], labels, of(values));
  const one = (name: string, help: string, value: (report: KeeperReport) => number): void =>
    gauge(name, help, [], (report) => [[{}, value(report)]]);
  one('keeper_shards', 'Shards that this node decides for.', ({ shards }) => shards);
  one('keeper_survey_complete', '1 when it has walked over all of them.', ({ complete }) =>
    complete ? 1 : 0,
  );
  gauge(
    'at_risk_blocks',
    'Blocks with fewer copies than wanted, by how many are left.',
    ['copies'],
    ({ left }) => left.map(({ copies, blocks }) => [{ copies: String(copies) }, blocks]),
  );
  gauge('at_risk_missing_bytes', 'Bytes of their missing copies.', ['copies'], ({ left }) =>
    left.map(({ copies, missingBytes }) => [{ copies: String(copies) }, missingBytes]),
  );
  gauge('repair_stuck_blocks', 'Blocks that cannot be helped now, by reason.', ['reason'], ({ stuck }) =>
    stuck.map(({ reason, blocks }) => [{ reason }, blocks]),
  );
  one('repair_copying', 'Copies on their way.', ({ copying }) => copying);
  one('repair_copied_bytes', 'Copied since the start.', ({ copiedBytes }) => copiedBytes);
  one('repair_copied_blocks', 'Copied since the start.', ({ copiedBlocks }) => copiedBlocks);
  one('repair_bytes_per_second', 'Copied in the last seconds.', ({ bytesPerSecond }) => bytesPerSecond);
  gauge('drain_left_bytes', 'Still needed on a datanode that is being emptied.', ['node'], ({ departures }) =>
    departures.map(({ node, bytes }) => [{ node: String(node) }, bytes]),
  );
}

/** Nothing before the first step of the first pass. */
export function addScrub(registry: Registry, scrub: () => ScrubReport | undefined): void {
  const one = (name: string, help: string, value: (report: ScrubReport) => number): void =>
    addGauge(registry, [name, help], [], () => {
      const report = scrub();
      return report === undefined ? [] : [[{}, value(report)]];
    });
  one('scrub_blocks', 'Copies read in the pass that runs, or the last one.', ({ blocks }) => blocks);
  one('scrub_bytes', 'Bytes of them.', ({ bytes }) => bytes);
  one('scrub_corrupt', 'Of them, those that were bad.', ({ corrupt }) => corrupt);
  one('scrub_running', '1 while a pass is under way.', ({ endedMs }) => (endedMs === 0 ? 1 : 0));
  const completeHelp = 'Time since the epoch after which every copy was read; 0: not yet.';
  one('scrub_complete_since_seconds', completeHelp, ({ completeSinceMs }) => completeSinceMs / MS_PER_SECOND);
}
