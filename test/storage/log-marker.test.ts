/** @module The marker beside a Raft log: whose file it is, and how far the log has come. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LogMarker } from '../../src/storage/log-marker.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const standing = (sequence: number): LogMarker['standing'] => ({
  sequence,
  term: 1,
  vote: 1,
  lastIndex: sequence,
  lastTerm: 1,
});

it('belongs to the node again, and tells how far it is, though a mark came while the copy was made its own', async () => {
  const directory = await temporaryDirectory();
  const [original, copied] = [join(directory, 'original'), join(directory, 'copied')];
  await (await LogMarker.create(original, standing(1))).close();
  await copyFile(original, copied);
  const marker = await LogMarker.open(copied);
  expect(marker?.isCopy).toBe(true);
  const marks = [marker?.adopt(), ...[2, 3].map((sequence) => marker?.mark(standing(sequence)))];
  await Promise.all(marks);
  await marker?.close();
  const again = await LogMarker.open(copied);
  expect([again?.isCopy, again?.standing]).toEqual([false, standing(3)]);
  await again?.close();
});
