import { afterEach, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { TestCluster } from './cluster.ts';

/** Together they take a newcomer several times as long as an election. */
const ENTRIES = 300;
const APPLY_MS = 8;
/** Fewer writes than the newcomer can apply, or it would never catch up. */
const WRITE_PAUSE_MS = 25;
/** Long names make a log of more than a megabyte, of which a Ready hands out a part. */
const NAME = 'n'.repeat(250);

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  expect(cluster?.fatal ?? []).toEqual([]);
  cluster = undefined;
});

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
  const newcomer = await home.addNode();
  const { machine } = newcomer;
  const apply = machine.apply.bind(machine);
  machine.apply = async (entries) => {
    await sleep(systemClock, APPLY_MS * entries.length);
    return apply(entries);
  };
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
}, 20_000);
