/** @module The time of the log, by wall clocks that are ahead, behind, and set anew. */
import { beforeEach, expect, it } from 'vitest';
import type { RawNode } from '../../raft/raw-node.ts';
import { BatchProposer } from '../../src/metadata/batch-proposer.ts';
import { HousekeepingWorker } from '../../src/metadata/housekeeping-worker.ts';
import { LogClock, RATE_WHILE_AHEAD } from '../../src/metadata/log-clock.ts';
import { prepareCommand, ProposalQueue } from '../../src/metadata/proposal-queue.ts';
import type { Proposer } from '../../src/metadata/proposer.ts';
import type { RaftDriver } from '../../src/metadata/raft-driver.ts';
import { DEFAULT_LEASE_MS } from '../../src/namespace/limits.ts';
import type { Command, Counters } from '../../src/namespace/schema.ts';
import { FoundedMachine } from '../namespace/founded-machine.ts';

const NOON_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

let wallMs: number;
let monotonicMs: number;
let committedMs: number;
let logClock: LogClock;

beforeEach(() => {
  [wallMs, monotonicMs, committedMs] = [NOON_MS, 5.25, 0];
  logClock = new LogClock({
    clock: { wallMs: () => wallMs, monotonicMs: () => monotonicMs },
    machine: { counters: () => ({ timeMs: committedMs }) as Counters },
  });
});

function pass(ms: number): void {
  wallMs += ms;
  monotonicMs += ms;
}

/** Entries are committed with the time, every so often. */
function commitFor(ms: number, periodMs: number): void {
  for (let passed = 0; passed < ms; passed += periodMs) {
    pass(periodMs);
    committedMs = Math.max(committedMs, logClock.nowMs());
  }
}

it('is the wall clock as long as that is not behind what was committed', () => {
  for (let hour = 0; hour < 30; hour += 1) {
    committedMs = logClock.nowMs();
    expect(committedMs).toBe(wallMs);
    pass(HOUR_MS);
  }
});

it('goes on from a time that is ahead, nearly as fast as it should, whether or not anything is committed', () => {
  committedMs = NOON_MS + 24 * HOUR_MS;
  expect(logClock.nowMs()).toBe(committedMs);
  pass(HOUR_MS);
  expect(logClock.nowMs()).toBe(committedMs + RATE_WHILE_AHEAD * HOUR_MS);
  commitFor(HOUR_MS, 20);
  expect(logClock.nowMs() / HOUR_MS).toBeCloseTo(
    (NOON_MS + 24 * HOUR_MS) / HOUR_MS + 2 * RATE_WHILE_AHEAD,
    2,
  );
});

it('is caught up by the wall clock, and follows it again', () => {
  committedMs = NOON_MS + HOUR_MS;
  commitFor(9 * HOUR_MS, 60_000);
  expect(logClock.nowMs()).toBeGreaterThan(wallMs);
  commitFor(2 * HOUR_MS, 60_000);
  expect(logClock.nowMs()).toBe(wallMs);
});

it('does not go back when the wall clock does, nor stand still until that is so late again', () => {
  commitFor(HOUR_MS, 60_000);
  wallMs -= 24 * HOUR_MS;
  const before = logClock.nowMs();
  expect(before).toBe(NOON_MS + HOUR_MS);
  pass(60_000);
  expect(logClock.nowMs()).toBe(before + RATE_WHILE_AHEAD * 60_000);
});

it('does not keep a time of a wall clock that was ahead when nothing was committed with it', () => {
  committedMs = NOON_MS;
  wallMs += 24 * HOUR_MS;
  expect(logClock.nowMs()).toBe(wallMs);
  wallMs -= 24 * HOUR_MS;
  expect(logClock.nowMs()).toBe(NOON_MS);
});

it('lets a lease end in time that was granted by a leader whose clock was a day ahead', async () => {
  const tree = await FoundedMachine.create();
  tree.timeMs = NOON_MS + 24 * HOUR_MS;
  await tree.do('createFile', { path: '/f' });
  const { machine } = tree;
  const clock = { wallMs: () => wallMs, monotonicMs: () => monotonicMs };
  const worker = leaderOf(tree, new LogClock({ clock, machine }));
  expect(await worker.work(NEVER)).toBe('idle');
  pass(DEFAULT_LEASE_MS);
  await worker.work(NEVER);
  expect(machine.counters().leases).toBe(1);
  pass(DEFAULT_LEASE_MS / RATE_WHILE_AHEAD - DEFAULT_LEASE_MS + 1);
  await worker.work(NEVER);
  expect(machine.counters().leases).toBe(0);
});

const NEVER = new AbortController().signal;

/** Whatever is proposed is committed, as it was stamped. */
function leaderOf(tree: FoundedMachine, logTime: LogClock): HousekeepingWorker {
  const { machine } = tree;
  const queue = new ProposalQueue();
  let data = new Uint8Array();
  const core = { propose: (proposed: Uint8Array<ArrayBuffer>) => (data = proposed) } as unknown as RawNode;
  const batches = new BatchProposer({ core, queue, logClock: logTime });
  const proposer = {
    async submitInternal(kind: NonNullable<Command['kind']>) {
      void queue.add(prepareCommand({ session: '', sequence: 0, ackedBelow: 0, command: { kind } }));
      batches.proposeQueued();
      const [[result] = []] = await machine.apply([{ index: ++tree.index, term: 1, data }]);
      return { result, index: tree.index };
    },
  } as unknown as Proposer;
  const driver = { isLeader: true } as RaftDriver;
  return new HousekeepingWorker({ driver, proposer, machine, logClock: logTime });
}
