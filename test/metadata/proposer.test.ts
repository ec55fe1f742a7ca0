import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import type { StateMachine } from '../../src/namespace/state-machine.ts';
import { commandTooLarge, notLeader, outcomeUnknown, stopped } from '../../src/metadata/errors.ts';
import type { Forwarder } from '../../src/metadata/forwarder.ts';
import { Proposer } from '../../src/metadata/proposer.ts';
import type { RaftDriver } from '../../src/metadata/raft-driver.ts';

const COMMAND = { session: 's', sequence: 1, ackedBelow: 1, command: undefined };
const SUBMIT_LIMIT_MS = 50;
const LOST = outcomeUnknown('the leader lost its leadership meanwhile');

it.each([
  ['a leader that lost its leadership, then stopped knowing no other', [LOST, notLeader(0)]],
  ['a leader that lost its leadership, then stopped', [LOST, stopped()]],
  ['a leader that lost its leadership, then refused the repetition', [LOST, commandTooLarge(2, 1)]],
])('never says that nothing happened where an attempt may have been done: %s', async (_how, failures) => {
  await expect(submit(failures)).rejects.toMatchObject({ code: 'METADATA_OUTCOME_UNKNOWN', kind: 'unknown' });
});

it.each([
  ['METADATA_NOT_LEADER', [notLeader(0), notLeader(0)]],
  ['METADATA_COMMAND_TOO_LARGE', [commandTooLarge(2, 1)]],
])('says %s where no attempt reached the log', async (code, failures) => {
  await expect(submit(failures)).rejects.toMatchObject({ code });
});

it('says that nobody knows when an attempt may have been done and no leader was found until the time was over', async () => {
  await expect(submit([LOST], notLeader(0))).rejects.toMatchObject({ code: 'METADATA_OUTCOME_UNKNOWN' });
});

it('says that nothing happened when no leader was found until the time was over', async () => {
  await expect(submit([], notLeader(0))).rejects.toMatchObject({ code: 'METADATA_NO_QUORUM' });
});

/** Attempts fail with `failures` one after the other, and then always with `further`; without it the node stops with the last one. */
async function submit(failures: readonly Error[], further?: Error): Promise<unknown> {
  const left = [...failures];
  let ended: Error | undefined;
  const driver = {
    isLeader: true,
    get ended() {
      return ended;
    },
    propose: () => {
      const failure = left.shift() ?? further;
      if (left.length === 0 && further === undefined) ended = stopped();
      return Promise.reject(failure);
    },
    listen: ({ leaderChanged }: { leaderChanged: (leader: number) => void }) => {
      leaderChanged(1);
      return () => {};
    },
  } as unknown as RaftDriver;
  const unused = {} as unknown;
  const proposer = new Proposer(
    {
      driver,
      clock: systemClock,
      machine: unused as StateMachine,
      forwarder: unused as Forwarder,
    },
    further === undefined ? {} : { submitLimitMs: SUBMIT_LIMIT_MS },
  );
  return proposer.submit(COMMAND);
}
