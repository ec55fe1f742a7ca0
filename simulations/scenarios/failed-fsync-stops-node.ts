/** @module S11: a node whose write failed says nothing that rests on it, and stops (cockroach#37102). */
import { deepEqual, rejects } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { systemClock } from '../../src/common/clock.ts';
import { ReadyHandler } from '../../src/metadata/ready-handler.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { entry } from '../manual-raft.ts';
import { IGNORED_EVENTS, IGNORING_APPLIER } from '../ready-by-hand.ts';

export const scenario: BugScenario = {
  claim: 'after a failed write nothing is acknowledged, and the failure reaches whoever drives the node',
  async run() {
    const sent: string[] = [];
    const handler = new ReadyHandler(
      {
        core: { reportSnapshot: () => {}, reportUnreachable: () => {} },
        log: { lastIndex: () => 0, append: () => Promise.reject(new Error('EIO: fsync')) },
        transport: {
          send: (messages) => {
            sent.push(...messages.map(({ type }) => type));
            return new Set();
          },
        },
        clock: systemClock,
        applier: IGNORING_APPLIER,
        restore: () => Promise.resolve(),
      },
      IGNORED_EVENTS,
    );
    const ready = {
      readStates: [],
      entries: [entry(1, 1)],
      committedEntries: [],
      messages: [message({ type: 'MsgAppResp', from: 1, to: 2, term: 1, index: 1 })],
      mustSync: true,
    };
    await rejects(handler.handle(ready), { message: 'EIO: fsync' });
    deepEqual(sent, []);
  },
};
