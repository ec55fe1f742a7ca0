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
    const digests = await Promise.all(messages.map(({ pieces }) => hasher.digest(pieces)));
    expect(digests.map(toHex)).toEqual(messages.map(({ hash }) => hash));
  });
});
