import { afterEach, describe, expect, it, vi } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import type { Logger } from '../../src/common/logger.ts';
import { Pacer } from '../../src/common/pacer.ts';
import type { Network } from '../../src/network/network.ts';
import { TestCluster } from './cluster.ts';

const WRITE_PAUSE_MS = 3;
/** Once the log has outgrown its bound: at four times the bound it waits for no snapshot any more. */
const STEADY_PAUSE_MS = 25;
const LOOK_PAUSE_MS = 5;
const MAX_LOG_ENTRIES = 60;

let cluster: TestCluster | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await cluster?.stop();
  expect(cluster?.fatal ?? []).toEqual([]);
  cluster = undefined;
});

/** Counts what was logged. */
class EventLog implements Logger {
  readonly events: string[] = [];
  debug(event: string): void {
    this.events.push(event);
  }
  info(event: string): void {
    this.events.push(event);
  }
  warn(event: string): void {
    this.events.push(event);
  }
  error(event: string): void {
    this.events.push(event);
  }
  with(): Logger {
    return this;
  }
  count(event: string): number {
    return this.events.filter((one) => one === event).length;
  }
}

/** Makes directories one after the other until told to stop; gives how many. */
async function writing(
  to: TestCluster,
  client: Network,
  via: string,
  { pauseMs, signal }: { readonly pauseMs: () => number; readonly signal: AbortSignal },
): Promise<number> {
  for (let count = 0; ; count += 1) {
    if (signal.aborted) return count;
    const value = { path: `/meanwhile-${count}`, parents: false };
    const result = await to.mutate(client, via, { $case: 'makeDirectory', value });
    expect(result.kind?.$case).toBe('stat');
    // A steady load: as fast as it goes would be a race between the log's bound and this machine.
    await sleep(systemClock, pauseMs());
  }
}

/** From now on nobody goes on with sending a snapshot, or making one, before `mayGoOn`. */
function holdSnapshots(mayGoOn: () => boolean): void {
  const spend = Pacer.prototype.spend;
  vi.spyOn(Pacer.prototype, 'spend').mockImplementation(async function (this: Pacer, bytes, signal) {
    while (!mayGoOn()) await sleep(systemClock, LOOK_PAUSE_MS, signal);
    return spend.call(this, bytes, signal);
  });
}

/** Three nodes of which one is down while the log goes far beyond it. */
async function withOneFarBehind(logger: Logger, maxSnapshotBytesPerSecond?: number) {
  const home = await TestCluster.start(
    3,
    {
      maxLogEntries: MAX_LOG_ENTRIES,
      trailingEntries: 10,
      ...(maxSnapshotBytesPerSecond !== undefined && { maxSnapshotBytesPerSecond }),
    },
    logger,
  );
  cluster = home;
  const client = await home.client();
  const leader = await home.leader();
  const behind = await home.follower();
  await home.kill(behind.number);
  for (let count = 0; count < 2 * MAX_LOG_ENTRIES; count += 1) {
    const value = { path: `/before-${count}`, parents: false };
    await home.mutate(client, leader.peer, { $case: 'makeDirectory', value });
  }
  await home.until('the log has left it behind', () => leader.log.firstIndex() > behind.log.lastIndex() + 1);
  return { home, client, leader, number: behind.number };
}

async function expectEqual(home: TestCluster, a: number, b: number): Promise<void> {
  const [one, other] = [home.node(a).machine, home.node(b).machine];
  await home.until('both have applied the same', () => one.appliedIndex === other.appliedIndex);
  expect(await one.namespaceHash()).toEqual(await other.namespaceHash());
}

describe('a follower that is far behind', () => {
  it('catches up while writes go on, with one snapshot, although the log outgrows its bound meanwhile', async () => {
    const logger = new EventLog();
    const { home, client, leader, number } = await withOneFarBehind(logger);
    const stopping = new AbortController();
    const before = leader.log.lastIndex();
    // The log would be compacted past the snapshot while that is being sent.
    const hasOutgrown = (): boolean => leader.log.lastIndex() - before > MAX_LOG_ENTRIES;
    const isMade = (): boolean => logger.count('snapshot.made') > 0;
    holdSnapshots(() => !isMade() || hasOutgrown());
    const back = await home.restart(number);
    await home.until('the snapshot is made', isMade);
    const pauseMs = (): number => (hasOutgrown() ? STEADY_PAUSE_MS : WRITE_PAUSE_MS);
    const written = writing(home, client, leader.peer, { pauseMs, signal: stopping.signal });
    try {
      await home.until('it has the snapshot', () => logger.count('snapshot.restored') > 0);
      expect(leader.log.lastIndex() - before).toBeGreaterThan(MAX_LOG_ENTRIES);
      await home.until('it follows', () => back.log.lastIndex() > leader.log.lastIndex() - 20);
    } finally {
      stopping.abort();
      await written;
    }
    await expectEqual(home, leader.number, number);
    expect(logger.count('snapshot.made')).toBe(1);
    expect(logger.count('snapshot.restored')).toBe(1);
  });

  it('goes on with the fetching after it was killed in the middle of it', async () => {
    const logger = new EventLog();
    const { home, client, leader, number } = await withOneFarBehind(logger, 20_000);
    await home.restart(number);
    await home.until('it fetches', () => logger.count('snapshot.fetching') > 0);
    await home.kill(number);
    const value = { path: '/between', parents: false };
    await home.mutate(client, leader.peer, { $case: 'makeDirectory', value });
    await home.restart(number);
    await home.until('it has the snapshot', () => logger.count('snapshot.restored') > 0);
    await expectEqual(home, leader.number, number);
    expect(logger.count('snapshot.made')).toBe(1);
    expect(logger.count('snapshot.fetching')).toBe(2);
  });

  it('gets a snapshot from the next leader when the first one dies while sending', async () => {
    const logger = new EventLog();
    const { home, leader, number } = await withOneFarBehind(logger, 20_000);
    const back = await home.restart(number);
    await home.until('it fetches', () => logger.count('snapshot.fetching') > 0);
    await home.kill(leader.number);
    const next = await home.until('there is another leader', () =>
      [...home.nodes.values()].find(({ node }) => node.isLeader),
    );
    await home.until('it has caught up', () => back.machine.appliedIndex >= next.machine.appliedIndex);
    await expectEqual(home, next.number, number);
    expect(next.number).not.toBe(number);
  });
});
