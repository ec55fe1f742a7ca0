/** @module Four lanes of SHA-256 in a thread against OpenSSL's. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { MIB, toHex } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { LANES } from '../../src/common/sha256-lanes-code.ts';
import { Sha256Thread } from '../../src/common/sha256-thread.ts';

const group = (sizeBytes: number): Uint8Array[][] =>
  Array.from({ length: LANES }, () => [randomBytes(100), randomBytes(sizeBytes - 100)]);
const hashesOf = (messages: readonly (readonly Uint8Array[])[]): string[] =>
  messages.map((pieces) =>
    pieces.reduce((hash, piece) => hash.update(piece), createHash('sha256')).digest('hex'),
  );

it('agrees with OpenSSL about groups of any length, one after the other', async () => {
  const thread = new Sha256Thread({ logger: silentLogger });
  // Less than a step, just as much, more than there are slots for.
  const sizes = [1000, MIB, MIB - 9, MIB - 8, 3 * MIB + 7, 5 * MIB];
  const groups = sizes.map(group);
  const digests = await Promise.all(
    groups.map((messages, at) => thread.digest(messages, sizes[at] as number)),
  );
  expect(digests.map((each) => each?.map(toHex))).toEqual(groups.map(hashesOf));
  await thread.close();
});

it('says so, of groups that wait as of the one it was at, when it ends', async () => {
  const thread = new Sha256Thread({ logger: silentLogger });
  const first = thread.digest(group(MIB), MIB);
  expect(await first).toHaveLength(LANES);
  const unfinished = [thread.digest(group(16 * MIB), 16 * MIB), thread.digest(group(MIB), MIB)];
  await thread.close();
  expect(await Promise.all(unfinished)).toEqual([undefined, undefined]);
  expect(await thread.digest(group(MIB), MIB)).toBeUndefined();
});
