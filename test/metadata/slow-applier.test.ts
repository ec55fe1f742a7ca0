import { afterEach, expect, it, vi } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { MAX_UNAPPLIED_ENTRIES } from '../../src/metadata/promotion-check.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { TestCluster } from './cluster.ts';

/** Together they take a newcomer several times as long as an election. */
const ENTRIES = 300;
const APPLY_MS = 8;
/** Fewer writes than the newcomer can apply, or it would never catch up. */
const WRITE_PAUSE_MS = 25;
/** Long names make a log of more than a megabyte, of which a Ready hands out a part. */
const NAME = 'n'.repeat(250);

/** Of short names a Ready hands out hundreds. */
const SHORT_ENTRIES: number = MAX_UNAPPLIED_ENTRIES + 400;

let cluster: TestCluster | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await cluster?.stop();
  expect(cluster?.fatal ?? []).toEqual([]);
  cluster = undefined;
});

/** Lets every machine but `fast` take so long for an entry; from its first entry on, so before it is started. */
function slowDownOthers(fast: StateMachine, applyMs: number): void {
  const apply = StateMachine.prototype.apply;
  vi.spyOn(StateMachine.prototype, 'apply').mockImplementation(async function (this: StateMachine, entries) {
    if (this !== fast) await sleep(systemClock, applyMs * entries.length);
    return apply.call(this, entries);
  });
}

it('a newcomer that has a long log to apply becomes a voter without a pause for anybody', async () => {
  const home = await TestCluster.start(1);
  cluster = home;
  const client = await home.client();
  const leader = await home.leader();
  const { term } = leader.node.status();
  for (let count = 0; count < ENTRIES; count += 1) {
    const path = `/${Array.from({ length: 16 }, () => NAME).join('/')}`;
    await home.mutate(client, leader.peer, { $case: 'makeDirectory', value: { path, parents: false } });
  }
  slowDownOthers(leader.machine, APPLY_MS);
  const newcomer = await home.addNode();
  const { machine } = newcomer;
  let slowestMs = 0;
  let writes = 0;
  while (machine.appliedIndex < leader.machine.appliedIndex) {
    const startMs = systemClock.monotonicMs();
    const value = { path: `/d${writes}`, parents: false };
    await home.mutate(client, leader.peer, { $case: 'makeDirectory', value });
    slowestMs = Math.max(slowestMs, systemClock.monotonicMs() - startMs);
    writes += 1;
    await sleep(systemClock, WRITE_PAUSE_MS);
  }
  expect(home.voters()).toContain(newcomer.number);
  expect(writes).toBeGreaterThan(5);
  expect(leader.node.status().term).toBe(term);
  expect(slowestMs).toBeLessThan(1_000);
});

it('a newcomer does not vote before it has applied nearly all of the log', async () => {
  const home = await TestCluster.start(1);
  cluster = home;
  const client = await home.client();
  const leader = await home.leader();
  for (let count = 0; count < SHORT_ENTRIES; count += 1) {
    const value = { path: `/${count}`, parents: false };
    await home.mutate(client, leader.peer, { $case: 'makeDirectory', value });
  }
  slowDownOthers(leader.machine, 2);
  const { number, machine, log } = await home.addNode();
  await home.until('its log is whole', () => log.lastIndex() >= leader.log.lastIndex());
  const unapplied: number[] = [];
  await home.until('it votes', () => {
    unapplied.push(leader.machine.appliedIndex - machine.appliedIndex);
    return home.voters().includes(number);
  });
  // It was far behind, and no longer is; between two looks it applies some.
  expect(unapplied[0]).toBeGreaterThan(MAX_UNAPPLIED_ENTRIES);
  expect(unapplied.at(-1)).toBeLessThanOrEqual(MAX_UNAPPLIED_ENTRIES);
});
