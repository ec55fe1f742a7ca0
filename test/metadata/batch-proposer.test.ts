/** @module Commands on their way into the log: their time, and what is said of those that the core does not take. */
import { expect, it } from 'vitest';
import { type DropReason, proposalDropped } from '../../raft/errors.ts';
import type { RawNode } from '../../raft/raw-node.ts';
import { BatchProposer } from '../../src/metadata/batch-proposer.ts';
import { LogClock } from '../../src/metadata/log-clock.ts';
import { prepareCommand, ProposalQueue } from '../../src/metadata/proposal-queue.ts';
import { CommandBatch, type Counters } from '../../src/namespace/schema.ts';
import { ManualClock } from '../manual-clock.ts';

const COMMAND = prepareCommand({ session: 's', sequence: 1, ackedBelow: 1, command: undefined });

/** One batch with the wall clock at `wallMs`, and `committedMs` the latest time in the log. */
interface Moment {
  readonly wallMs: number;
  readonly committedMs: number;
}

it('stamps nothing earlier than before, nor than what another leader has committed, whatever the clock does', () => {
  const stamps: number[] = [];
  let moment: Moment = { wallMs: 0, committedMs: 0 };
  const queue = new ProposalQueue();
  const proposer = new BatchProposer({
    queue,
    core: {
      propose: (data: Uint8Array) => stamps.push(CommandBatch.decode(data).timeMs),
    } as unknown as RawNode,
    logClock: new LogClock({
      clock: Object.assign(new ManualClock(), { wallMs: () => moment.wallMs }),
      machine: { counters: () => ({ timeMs: moment.committedMs }) as Counters },
    }),
  });
  for (moment of [
    { wallMs: 1_000, committedMs: 900 },
    { wallMs: 400, committedMs: 900 },
    { wallMs: 1_100, committedMs: 1_000 },
    { wallMs: 1_200, committedMs: 5_000 },
    { wallMs: 1_300, committedMs: 0 },
    { wallMs: 6_000, committedMs: 5_000 },
  ]) {
    void queue.add(COMMAND);
    proposer.proposeQueued();
  }
  expect(stamps).toEqual([1_000, 1_000, 1_100, 5_000, 5_000, 6_000]);
});

it.each<[DropReason, string]>([
  ['too-much-uncommitted', 'METADATA_OVERLOADED'],
  ['transfer-in-progress', 'METADATA_NOT_LEADER'],
  ['no-leader', 'METADATA_NOT_LEADER'],
])('refuses what the core does not take, %s, as what surely did not happen: %s', async (reason, code) => {
  const queue = new ProposalQueue();
  const proposer = new BatchProposer({
    queue,
    core: {
      propose: () => {
        throw proposalDropped(reason, 'not now');
      },
    } as unknown as RawNode,
    logClock: new LogClock({
      clock: new ManualClock(),
      machine: { counters: () => ({ timeMs: 0 }) as Counters },
    }),
  });
  const answers = [queue.add(COMMAND), queue.add(COMMAND)];
  proposer.proposeQueued();
  for (const answer of answers) await expect(answer).rejects.toMatchObject({ code, kind: 'unavailable' });
  expect(queue.isEmpty).toBe(true);
});
