/** @module Large messages hashed side by side, and those for which there is no company. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { MIB, toHex } from '../../src/common/bytes.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MessageHasher } from '../../src/common/message-hasher.ts';
import { Sha256Thread } from '../../src/common/sha256-thread.ts';

function message(sizeBytes: number): { pieces: Uint8Array[]; hash: string } {
  const bytes = randomBytes(sizeBytes);
  const middle = Math.floor(sizeBytes / 3);
  const pieces = [bytes.subarray(0, middle), bytes.subarray(middle)];
  return { pieces, hash: createHash('sha256').update(bytes).digest('hex') };
}

/** Nothing that hashes is slow, as with instructions for it: a clock that stands still. */
const standing: Clock = { ...systemClock, monotonicMs: () => 0 };
/** SHA-512 takes no time, as beside a processor without: each other measurement. */
function favouring(): Clock {
  let calls = 0;
  return { ...systemClock, monotonicMs: () => ((calls += 1) % 4 === 2 ? calls + 1 : calls) };
}

const running = new Sha256Thread({ logger: silentLogger });
const closed = new Sha256Thread({ logger: silentLogger });
await closed.close();
afterAll(() => running.close());

describe.each([
  ['with lanes', favouring, undefined],
  ['without', () => standing, undefined],
  ['with lanes in a thread', favouring, running],
  ['with a thread that has ended', favouring, closed],
])('MessageHasher %s', (_name, clock, thread) => {
  it.each([
    ['a full group', [MIB, MIB, MIB, MIB]],
    ['more than a group', [MIB, MIB, MIB, MIB, MIB, MIB, MIB]],
    ['less than a group', [MIB, MIB, MIB]],
    ['one alone', [MIB]],
    ['another length in between', [MIB, MIB, MIB + 9, 5, MIB, 0, MIB]],
  ])('gives everybody the hash of their own message: %s', async (_, sizes) => {
    const hasher = new MessageHasher({ clock: clock(), thread });
    const messages = sizes.map(message);
    const expected = messages.map(({ pieces: [first, second] }) =>
      hasher.expect((first?.length ?? 0) + (second?.length ?? 0)),
    );
    const digests = await Promise.all(messages.map(({ pieces }, at) => expected[at]?.digest(pieces)));
    expect(digests.map((digest) => digest && toHex(digest))).toEqual(messages.map(({ hash }) => hash));
  });
});

it('waits for company as long as there is some to come', async () => {
  // Its timers never fire: what is answered was not out of patience.
  const clock: Clock = { ...favouring(), after: () => ({ cancel: () => {} }) };
  const hasher = new MessageHasher({ clock });
  const messages = [MIB, MIB, MIB].map(message);
  const expected = [...messages, undefined].map(() => hasher.expect(MIB));
  const other = hasher.expect(MIB + 1);
  const digests = messages.map(({ pieces }, at) => expected[at]?.digest(pieces));
  const isFirst = await Promise.race([digests[0], new Promise((resolve) => setImmediate(resolve, 'none'))]);
  expect(isFirst).toBe('none');
  // It will not come, and the other one is of another length.
  expected[3]?.[Symbol.dispose]();
  const hashes = (await Promise.all(digests)).map((digest) => digest && toHex(digest));
  expect(hashes).toEqual(messages.map(({ hash }) => hash));
  other[Symbol.dispose]();
});
