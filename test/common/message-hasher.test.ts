/** @module Large messages hashed side by side while they arrive, and those for which there is no company. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MessageHasher } from '../../src/common/message-hasher.ts';
import { INITIAL_STATE, LANES } from '../../src/common/sha256-lanes-code.ts';
import { type LaneStep, Sha256Thread } from '../../src/common/sha256-thread.ts';

interface Message {
  readonly sizeBytes: number;
  readonly pieces: readonly Uint8Array[];
  readonly hash: Uint8Array;
}

function messageOf(sizeBytes: number): Message {
  const bytes = randomBytes(sizeBytes);
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < sizeBytes; from += 200 * KIB) pieces.push(bytes.subarray(from, from + 200 * KIB));
  return { sizeBytes, pieces, hash: createHash('sha256').update(bytes).digest() };
}

/** Nothing that hashes is slow, as with instructions for it: a clock that stands still. */
const standing: Clock = { ...systemClock, monotonicMs: () => 0 };
/** SHA-512 takes no time, as beside a processor without: each other measurement. */
function favouring(): Clock {
  let calls = 0;
  return { ...systemClock, monotonicMs: () => ((calls += 1) % 4 === 2 ? calls + 1 : calls) };
}
/** Its timers never fire: what is answered was not out of patience. */
const patient = (): Clock => ({ ...favouring(), after: () => ({ cancel: () => {} }) });

const running = new Sha256Thread({ logger: silentLogger });
await new Promise<void>((resolve) => running.start(resolve));
const closed = new Sha256Thread({ logger: silentLogger });
await closed.close();
afterAll(() => running.close());

/** The pieces of all messages come in turns. */
function arrive(hasher: MessageHasher, messages: readonly Message[]): Promise<boolean[]> {
  const arriving = messages.map(({ sizeBytes }) => hasher.begin(sizeBytes));
  const rounds = Math.max(...messages.map(({ pieces }) => pieces.length));
  for (let round = 0; round < rounds; round += 1)
    for (const [at, { pieces }] of messages.entries()) {
      const piece = pieces[round];
      if (piece !== undefined) arriving[at]?.add(piece);
    }
  return Promise.all(messages.map(async ({ hash }, at) => (await arriving[at]?.isNamed(hash)) ?? false));
}

const SIZES = [
  ['a full group', Array<number>(LANES).fill(MIB)],
  ['more than a group', Array<number>(LANES * 2 + 3).fill(MIB + 5)],
  ['less than a group', [MIB, MIB, MIB, MIB, MIB]],
  ['one alone', [MIB]],
  ['one length and another', [MIB, 2 * MIB, MIB + 9, 5, MIB, 3 * MIB, MIB - 1, MIB, MIB]],
] as const;

describe.each([
  ['with lanes', favouring, running],
  ['where OpenSSL is faster', () => standing, running],
  ['without a thread', favouring, undefined],
  ['with a thread that has ended', favouring, closed],
])('MessageHasher %s', (_name, clock, thread) => {
  it.each(SIZES)('knows each message by its name, and by no other: %s', async (_, sizes) => {
    const hasher = new MessageHasher({ clock: clock(), thread });
    const messages = sizes.map(messageOf);
    const [first, ...others] = messages as [Message, ...Message[]];
    const rotten = { ...first, hash: new Uint8Array(32) };
    expect(await arrive(hasher, [rotten, ...others])).toEqual([false, ...others.map(() => true)]);
  });
});

/** Takes steps when told to, and keeps what it was given. */
function idleThread(): { thread: Sha256Thread; groups: (readonly LaneStep[])[]; answer: () => void } {
  const groups: (readonly LaneStep[])[] = [];
  const answers: (() => void)[] = [];
  const thread = {
    isRunning: true,
    hasRoom: true,
    hasEnded: false,
    start: () => {},
    step(lanes: readonly LaneStep[], sizeBytes: number) {
      for (const { message } of lanes) message.read(new Uint8Array(sizeBytes));
      groups.push(lanes);
      // A state that is nobody's.
      return new Promise((resolve) => answers.push(() => resolve(Uint32Array.from(INITIAL_STATE))));
    },
    distrust() {
      thread.hasEnded = true;
      thread.isRunning = false;
    },
  };
  const answer = (): void => answers.splice(0).forEach((each) => each());
  return { thread: thread as unknown as Sha256Thread, groups, answer };
}

it('takes steps while messages arrive, of all lanes, and waits for those that are on their way', () => {
  const { thread, groups } = idleThread();
  const hasher = new MessageHasher({ clock: patient(), thread });
  const arriving = Array.from({ length: LANES + 1 }, () => hasher.begin(8 * MIB));
  for (const each of arriving.slice(1)) each.add(new Uint8Array(300 * KIB));
  expect(groups, 'the first one is late').toHaveLength(0);
  arriving[0]?.add(new Uint8Array(300 * KIB));
  expect(groups.map(({ length }) => length)).toEqual([LANES]);
  // It will not come: the ninth takes its lane.
  arriving[0]?.[Symbol.dispose]();
  for (const each of arriving.slice(1, LANES)) each.add(new Uint8Array(300 * KIB));
  expect(groups.map(({ length }) => length)).toEqual([LANES, LANES]);
  expect(groups[1]?.filter(({ isFirst }) => isFirst)).toHaveLength(1);
  expect(new Set(groups[1]?.map(({ lane }) => lane)).size).toBe(LANES);
});

it('goes on without one that stands still, once out of patience', () => {
  const { thread, groups } = idleThread();
  let isOver = (): void => {};
  const clock: Clock = {
    ...favouring(),
    after: (_, action) => {
      isOver = action;
      return { cancel: () => {} };
    },
  };
  const hasher = new MessageHasher({ clock, thread });
  const arriving = Array.from({ length: LANES }, () => hasher.begin(8 * MIB));
  for (const each of arriving.slice(2)) each.add(new Uint8Array(300 * KIB));
  expect(groups).toHaveLength(0);
  isOver();
  expect(groups.map(({ length }) => length)).toEqual([LANES - 2]);
});

it('has OpenSSL look before it calls a message bad, and lanes that were wrong go', async () => {
  const { thread, answer } = idleThread();
  const hasher = new MessageHasher({ clock: patient(), thread });
  const messages = [MIB, MIB, MIB, MIB].map(messageOf);
  const named = arrive(hasher, messages);
  while (!thread.hasEnded) {
    answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await named).toEqual([true, true, true, true]);
});

it('starts its thread when there is as much to hash as that is worth', async () => {
  const { thread, groups } = idleThread();
  const started: (() => void)[] = [];
  Object.assign(thread, { isRunning: false, start: (onChange: () => void) => started.push(onChange) });
  const hasher = new MessageHasher({ clock: patient(), thread });
  const few = Array.from({ length: LANES - 1 }, () => messageOf(MIB));
  expect(await arrive(hasher, few), 'by OpenSSL').toEqual(few.map(() => true));
  expect(started).toHaveLength(0);
  const many = Array.from({ length: LANES }, () => hasher.begin(8 * MIB));
  for (const each of many) each.add(new Uint8Array(300 * KIB));
  Object.assign(thread, { isRunning: true });
  for (const onChange of started) onChange();
  expect(groups.map(({ length }) => length)).toEqual([LANES]);
});
