/** @module S09: the shell of the core sends what promises something only when the promise is on the disk (etcd#14143). */
import { deepEqual } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import type { Message, Ready } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { ReadyHandler } from '../../src/metadata/ready-handler.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { bytes, entry } from '../manual-raft.ts';
import { IGNORED_EVENTS, IGNORING_APPLIER } from '../ready-by-hand.ts';

export const scenario: BugScenario = {
  claim:
    'votes and acknowledgements leave a node after the write that they rest on, and reads are answered after it',
  async run() {
    const disk = Promise.withResolvers<void>();
    const seen: string[] = [];
    const handler = new ReadyHandler(
      {
        core: { reportSnapshot: () => {}, reportUnreachable: () => {} },
        log: {
          lastIndex: () => 0,
          append: async () => {
            await disk.promise;
            seen.push('durable');
          },
        },
        transport: {
          send: (messages: readonly Message[]) => {
            seen.push(...messages.map(({ type }) => type));
            return new Set();
          },
        },
        clock: systemClock,
        applier: IGNORING_APPLIER,
        restore: () => Promise.resolve(),
      },
      { ...IGNORED_EVENTS, readState: () => seen.push('read') },
    );
    const handled = handler.handle(READY);
    disk.resolve();
    await handled;
    deepEqual(seen, ['MsgHeartbeat', 'durable', 'MsgAppResp', 'MsgVoteResp', 'read']);
  },
};

const READY: Ready = {
  readStates: [{ index: 1, requestCtx: bytes('read') }],
  entries: [entry(1, 1)],
  committedEntries: [],
  messages: (['MsgHeartbeat', 'MsgAppResp', 'MsgVoteResp'] as const).map((type) =>
    message({ type, from: 1, to: 2, term: 1 }),
  ),
  mustSync: true,
};
