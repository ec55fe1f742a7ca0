import { describe, expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { Message } from '../../raft/types.ts';
import { CommitNotices } from '../../src/metadata/commit-notices.ts';
import { ManualClock } from '../manual-clock.ts';

const ENTRY = { term: 1, index: 8, type: 'EntryNormal', data: new Uint8Array(1) } as const;

function notice(to: number, commit: number): Message {
  return message({ type: 'MsgApp', to, commit });
}

function append(to: number, commit: number): Message {
  return message({ type: 'MsgApp', to, commit, entries: [ENTRY] });
}

function harness(): { notices: CommitNotices; clock: ManualClock; late: Message[] } {
  const clock = new ManualClock();
  const late: Message[] = [];
  return { notices: new CommitNotices({ clock, send: (messages) => late.push(...messages) }), clock, late };
}

describe('the news of a commit', () => {
  it('waits for entries to the same follower, which carry it too', async () => {
    const { notices, clock, late } = harness();
    expect(notices.hold([notice(2, 7), notice(3, 7)])).toEqual([]);
    expect(notices.hold([append(2, 7)])).toEqual([append(2, 7)]);
    await clock.advance(100);
    expect(late).toEqual([notice(3, 7)]);
  });

  it('goes by itself when nothing follows, the newest only, and once', async () => {
    const { notices, clock, late } = harness();
    notices.hold([notice(2, 7)]);
    notices.hold([notice(2, 9)]);
    await clock.advance(100);
    await clock.advance(100);
    expect(late).toEqual([notice(2, 9)]);
  });

  it('has its whole time, also where an earlier one was overtaken', async () => {
    const { notices, clock, late } = harness();
    notices.hold([notice(2, 7)]);
    await clock.advance(3);
    notices.hold([append(2, 7)]);
    notices.hold([notice(2, 8)]);
    await clock.advance(3);
    expect(late).toEqual([]);
    expect(notices.hold([append(2, 8)])).toEqual([append(2, 8)]);
    await clock.advance(100);
    expect(late).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes at once when the node leads no longer, and not again', async () => {
    const { notices, clock, late } = harness();
    notices.hold([notice(2, 7), notice(3, 7)]);
    notices.release();
    expect(late).toEqual([notice(2, 7), notice(3, 7)]);
    await clock.advance(100);
    notices.release();
    expect(late.length).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not put off by newer ones to the same follower', async () => {
    const { notices, clock, late } = harness();
    for (let commit = 1; commit <= 5; commit += 1) {
      notices.hold([notice(2, commit)]);
      await clock.advance(1);
    }
    expect(late).toEqual([notice(2, 4)]);
  });

  it('is not waited for again and again at one moment by a timer that rounding made too early', async () => {
    const { notices, clock, late } = harness();
    clock.lagMs = -1e-9;
    const after = clock.after.bind(clock);
    let timers = 0;
    clock.after = (delayMs, callback) => {
      timers += 1;
      if (timers > 10) throw new Error(`timer ${timers}, of ${delayMs} ms`);
      return after(delayMs, callback);
    };
    notices.hold([notice(2, 7)]);
    await clock.advance(100);
    expect(late).toEqual([notice(2, 7)]);
    expect(timers).toBe(2);
  });

  it('holds up no other message, nor entries that come before it', async () => {
    const { notices, clock, late } = harness();
    const heartbeat = message({ type: 'MsgHeartbeat', to: 2, commit: 7 });
    expect(notices.hold([heartbeat, append(2, 7), notice(2, 8)])).toEqual([heartbeat, append(2, 7)]);
    await clock.advance(100);
    expect(late).toEqual([notice(2, 8)]);
  });

  it('is forgotten by one who leads no more', async () => {
    const { notices, clock, late } = harness();
    notices.hold([notice(2, 7)]);
    notices.stop();
    await clock.advance(100);
    expect(late).toEqual([]);
  });
});
