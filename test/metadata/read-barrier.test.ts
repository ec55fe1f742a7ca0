import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { systemRandom } from '../../src/common/random.ts';
import type { RaftListener } from '../../src/metadata/leadership-watch.ts';
import { ReadBarrier } from '../../src/metadata/read-barrier.ts';
import { ManualClock } from '../manual-clock.ts';

/** A driver whose leader has committed up to `commit`, and which applies nothing of it by itself. */
function setUp(state: { applied: number; commit: number; isFetching?: boolean; clock?: Clock }) {
  let listener: RaftListener = {};
  const barrier = new ReadBarrier(
    {
      clock: state.clock ?? systemClock,
      random: systemRandom,
      receiver: { isFetching: state.isFetching ?? false },
      driver: {
        ended: undefined,
        appliedIndex: state.applied,
        listen(given) {
          listener = given;
          return () => {};
        },
        readIndex: (requestCtx) =>
          queueMicrotask(() => listener.readState?.({ index: state.commit, requestCtx })),
        waitApplied: (index) => (index <= state.applied ? Promise.resolve() : new Promise(() => {})),
      },
    },
    { readLimitMs: 50 },
  );
  barrier.start();
  return barrier;
}

describe('ReadBarrier', () => {
  it('lets a read through on a node that has applied all', async () => {
    await setUp({ applied: 7, commit: 7 }).wait();
  });

  it('waits for a node that is a little behind', async () => {
    await expect(setUp({ applied: 7, commit: 9 }).wait()).rejects.toMatchObject({
      code: 'METADATA_NO_QUORUM',
    });
  });

  it('sends readers elsewhere at once while thousands of entries are still to be applied', async () => {
    const error = { code: 'METADATA_NOT_READY', kind: 'unavailable' };
    await expect(setUp({ applied: 7, commit: 5_000 }).wait()).rejects.toMatchObject(error);
  });

  it('sends readers elsewhere at once while a snapshot is on its way', async () => {
    const barrier = setUp({ applied: 7, commit: 7, isFetching: true });
    await expect(barrier.wait()).rejects.toMatchObject({ code: 'METADATA_NOT_READY' });
  });

  it('refuses reads once it has stopped', async () => {
    const barrier = setUp({ applied: 7, commit: 7 });
    barrier.stop();
    await expect(barrier.wait()).rejects.toMatchObject({ code: 'METADATA_STOPPED' });
  });

  it('leaves no timer behind a reader that has gone', async () => {
    const clock = new ManualClock();
    const reader = new AbortController();
    const read = setUp({ applied: 7, commit: 9, clock }).wait(reader.signal);
    await clock.advance(1);
    reader.abort();
    await expect(read).rejects.toMatchObject({ code: 'METADATA_NO_QUORUM' });
    expect(clock.pendingTimers).toBe(0);
  });
});
