/** @module The shell around the core: what it lets in, and when. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { message } from '../../raft/messages.ts';
import { RawNode } from '../../raft/raw-node.ts';
import type { Message } from '../../raft/types.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { LogClock } from '../../src/metadata/log-clock.ts';
import { RaftDriver } from '../../src/metadata/raft-driver.ts';
import type { RaftTransport } from '../../src/metadata/raft-transport.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { ManualClock, settle } from '../manual-clock.ts';

const VOTE_REQUEST = message({ type: 'MsgVote', from: 2, to: 1, term: 5, logTerm: 1, index: 9 });

describe('the driver of one voter of three', () => {
  let driver: RaftDriver;
  let sent: Message[];
  let fatal: Error[];

  beforeEach(async () => {
    sent = [];
    fatal = [];
    const [clock, log] = [new ManualClock(), new MemoryRaftLog()];
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    const confState = {
      voters: [1, 2, 3],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    };
    await log.bootstrap(confState, { term: 1, vote: 0, commit: 0 }, []);
    const transport = {
      send: (messages: readonly Message[]) => {
        sent.push(...messages);
        return new Set<number>();
      },
    } as unknown as RaftTransport;
    driver = new RaftDriver(
      {
        log,
        machine,
        logClock: new LogClock({ clock, machine }),
        transport,
        snapshots: log,
        clock,
        random: systemRandom,
        logger: silentLogger,
        restore: () => Promise.resolve(),
      },
      { id: 1, onFatal: (error) => fatal.push(error) },
    );
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await driver.stop();
  });

  it('answers nobody and votes for nobody before it takes part', async () => {
    driver.step(VOTE_REQUEST);
    await settle();
    expect(sent).toEqual([]);
    expect(driver.status()).toMatchObject({ term: 1, vote: 0 });
    driver.start();
    driver.step(VOTE_REQUEST);
    await settle();
    expect(sent).toMatchObject([{ type: 'MsgVoteResp', to: 2, term: 5 }]);
    expect(driver.status()).toMatchObject({ term: 5, vote: 2 });
  });

  it('says nothing more once it has failed, and why once', async () => {
    driver.start();
    driver.fail(new Error('the disk'));
    driver.fail(new Error('and what came of it'));
    driver.step(VOTE_REQUEST);
    await settle();
    expect(sent).toEqual([]);
    expect(fatal.map(({ message: text }) => text)).toEqual([expect.stringContaining('the disk')]);
  });

  it.each([
    ['could not fetch', true, false],
    ['has fetched', false, true],
  ])(
    'tells the core of a follower that %s a snapshot: it would be sent nothing else',
    (_what, reject, succeeded) => {
      const report = vi.spyOn(RawNode.prototype, 'reportSnapshot');
      driver.start();
      driver.step(message({ type: 'MsgSnapStatus', from: 2, to: 1, term: 1, reject }));
      expect(report.mock.calls).toEqual([[2, succeeded]]);
    },
  );

  it('goes on after a message of a stranger, or one that no peer may send', async () => {
    driver.start();
    driver.step(message({ type: 'MsgAppResp', from: 9, to: 1, term: 1 }));
    driver.step(message({ type: 'MsgHup', from: 2, to: 1 }));
    driver.step(VOTE_REQUEST);
    await settle();
    expect(sent.map(({ type }) => type)).toEqual(['MsgVoteResp']);
    expect(fatal).toEqual([]);
  });
});
