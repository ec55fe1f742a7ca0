/** @module S04: an answer that comes late, to a read that was asked before, is no answer to a later one (etcd#20418). */
import { equal } from 'node:assert/strict';
import { systemClock } from '../../src/common/clock.ts';
import type { RaftListener } from '../../src/metadata/leadership-watch.ts';
import { ReadBarrier } from '../../src/metadata/read-barrier.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { SeededRandom } from '../world/seeded-random.ts';

export const scenario: BugScenario = {
  claim: 'every round of reads has a name that no earlier round had',
  async run() {
    const names: string[] = [];
    let listener: RaftListener = {};
    const barrier = new ReadBarrier({
      clock: systemClock,
      random: new SeededRandom(1, 'reads'),
      receiver: { isFetching: false },
      driver: {
        ended: undefined,
        appliedIndex: 1,
        listen(given) {
          listener = given;
          return () => {};
        },
        readIndex(requestCtx) {
          names.push(Buffer.from(requestCtx).toString('hex'));
          listener.readState?.({ index: 1, requestCtx });
        },
        waitApplied: () => Promise.resolve(),
      },
    });
    barrier.start();
    for (let round = 0; round < 3; round += 1) await barrier.wait();
    barrier.stop();
    equal(new Set(names).size, 3);
  },
};
