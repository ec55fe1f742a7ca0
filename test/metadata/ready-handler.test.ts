/** @module What a Ready orders, in which order. */
import { expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { Entry } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { ReadyHandler } from '../../src/metadata/ready-handler.ts';
import type { LogWrite } from '../../src/storage/raft-log-store.ts';

const entry = (index: number): Entry => ({ index, term: 1, type: 'EntryNormal', data: new Uint8Array(1) });

/** What is in the log already goes up to `lastIndex`. */
function handling(
  append: (write: LogWrite) => Promise<void>,
  happened: string[],
  lastIndex = 1,
): ReadyHandler {
  return new ReadyHandler(
    {
      core: { reportSnapshot: () => {}, reportUnreachable: () => {} },
      log: { lastIndex: () => lastIndex, append },
      transport: {
        send: (messages) => {
          for (const { type } of messages) happened.push(type);
          return new Set();
        },
      },
      clock: systemClock,
      applier: {
        drained: () => Promise.resolve(),
        enqueue: (entries) => {
          if (entries.length > 0) happened.push(`applied ${entries.map(({ index }) => index).join()}`);
          return undefined;
        },
      },
      restore: () => Promise.resolve(),
    },
    {
      softState: () => {},
      entries: () => {},
      readState: () => {},
      restored: () => {},
      late: (work) => work(),
    },
  );
}

const confChange = (index: number): Entry => ({ ...entry(index), type: 'EntryConfChangeV2' });

const READY = {
  readStates: [],
  entries: [entry(2)],
  committedEntries: [entry(1)],
  messages: [message({ type: 'MsgAppResp', from: 2, to: 1, term: 1, index: 2 })],
  mustSync: true,
};

it('has the disk at work before it applies what is in the log already, and acknowledges after both', async () => {
  const happened: string[] = [];
  const handler = handling(async () => {
    // As the log does it: several promises deep, then another thread.
    for (let step = 0; step < 20; step += 1) await Promise.resolve();
    happened.push('writing');
    await new Promise((resolve) => setTimeout(resolve, 5));
    happened.push('written');
  }, happened);
  await handler.handle(READY);
  expect(happened).toEqual(['writing', 'applied 1', 'written', 'MsgAppResp']);
});

it('says nothing after a write that failed at once', async () => {
  const happened: string[] = [];
  const handler = handling(() => Promise.reject(new Error('EIO')), happened);
  await expect(handler.handle(READY)).rejects.toThrow('EIO');
  expect(happened).toEqual(['applied 1']);
});

it('applies a membership change, and what follows it, when it is durable that it is committed', async () => {
  const happened: string[] = [];
  const handler = handling(
    async ({ mustSync }) => {
      happened.push(mustSync ? 'written durably' : 'written');
    },
    happened,
    3,
  );
  const committedEntries = [entry(1), confChange(2), entry(3)];
  await handler.handle({ ...READY, entries: [entry(4)], committedEntries });
  expect(happened).toEqual(['written durably', 'applied 1', 'MsgAppResp', 'applied 2,3']);
  happened.length = 0;
  const hardState = { term: 1, vote: 1, commit: 3 };
  await handler.handle({
    ...READY,
    hardState,
    entries: [],
    committedEntries,
    mustSync: false,
    messages: [],
  });
  expect(happened).toEqual(['written durably', 'applied 1', 'applied 2,3']);
});

it('tells of the last commit when it leads no longer: it may have committed its own removal', async () => {
  const happened: string[] = [];
  const handler = handling(() => Promise.resolve(), happened);
  const nothing = { ...READY, entries: [], committedEntries: [], mustSync: false };
  await handler.handle({ ...nothing, messages: [message({ type: 'MsgApp', from: 1, to: 2, commit: 2 })] });
  expect(happened).toEqual([]);
  await handler.handle({ ...nothing, messages: [], softState: { lead: 0, raftState: 'StateFollower' } });
  expect(happened).toEqual(['MsgApp']);
});
