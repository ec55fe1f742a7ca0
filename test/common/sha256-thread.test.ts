/** @module Eight lanes of SHA-256 in a thread against OpenSSL's. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { digestOf } from '../../src/common/lane-memory.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { PaddedMessage } from '../../src/common/padded-message.ts';
import { LANES } from '../../src/common/sha256-lanes-code.ts';
import { LAST_STEP_BYTES, type LaneStep, Sha256Thread } from '../../src/common/sha256-thread.ts';

interface Whole {
  readonly message: PaddedMessage;
  readonly hash: string;
}

/** In pieces of all sizes, some of them empty. */
function whole(sizeBytes: number): Whole {
  const bytes = randomBytes(sizeBytes);
  const message = new PaddedMessage(sizeBytes);
  if (sizeBytes === 0) message.add(bytes);
  for (let from = 0, size = 0; from < sizeBytes; from += size, size = (size * 5 + 3) % 70_001)
    message.add(bytes.subarray(from, from + size));
  return { message, hash: createHash('sha256').update(bytes).digest('hex') };
}

function started(): Promise<Sha256Thread> {
  const thread = new Sha256Thread({ logger: silentLogger });
  return new Promise((resolve) => thread.start(() => resolve(thread)));
}

it('agrees with OpenSSL about messages of any length, one after the other in the same lanes', async () => {
  const thread = await started();
  for (const size of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 64 * KIB - 9, 64 * KIB, 200 * KIB + 7]) {
    const group = Array.from({ length: LANES }, () => whole(size));
    const lanes = group.map(({ message }, lane) => ({ lane, message, isFirst: true }));
    const state = await thread.step(lanes, group[0]?.message.readableBytes as number);
    const digests = group.map((_, lane) => state && toHex(digestOf(state, lane)));
    expect(digests, `${size} bytes`).toEqual(group.map(({ hash }) => hash));
  }
  await thread.close();
});

it('takes each message on from where it was, whatever the other lanes did meanwhile', async () => {
  const thread = await started();
  const [pausing, steady] = [whole(4 * 64 - 9), whole(6 * 64 - 9)];
  const step = (lanes: readonly LaneStep[]): Promise<Uint32Array | undefined> => thread.step(lanes, 64);
  const pauses = (isFirst: boolean): LaneStep => ({ lane: 3, message: pausing.message, isFirst });
  const goesOn = (isFirst: boolean): LaneStep => ({ lane: 6, message: steady.message, isFirst });
  await step([pauses(true), goesOn(true)]);
  // Two at once: the thread has the next before it has taken the first.
  await Promise.all([step([goesOn(false)]), step([goesOn(false)])]);
  await step([pauses(false), goesOn(false)]);
  await step([pauses(false), goesOn(false)]);
  const state = await step([pauses(false), goesOn(false)]);
  expect(state && [3, 6].map((lane) => toHex(digestOf(state, lane)))).toEqual([pausing.hash, steady.hash]);
  await thread.close();
});

it('says so, of steps that wait as of the one it was at, when it ends', async () => {
  const thread = await started();
  const steps = [whole(LAST_STEP_BYTES), whole(LAST_STEP_BYTES)].map(({ message }) =>
    thread.step([{ lane: 0, message, isFirst: true }], LAST_STEP_BYTES),
  );
  expect(thread.hasRoom).toBe(false);
  await thread.close();
  expect(await Promise.all(steps)).toEqual([undefined, undefined]);
  expect(thread.hasEnded).toBe(true);
});
