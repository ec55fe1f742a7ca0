/** @module Several files in flight: what ends them all. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Output } from '../../cli/output.ts';
import { createProgress } from '../../cli/progress-bar.ts';
import { processTerminal } from '../../cli/terminal.ts';
import { transferAll } from '../../cli/transfer-pool.ts';
import { HoldfastError } from '../../src/common/errors.ts';

function pool(items: AsyncIterable<number> | Iterable<number>, work: (item: number) => Promise<void>) {
  const stderr = new PassThrough();
  const terminal = { ...processTerminal(), stderr, isInteractive: false };
  const output = new Output(terminal, { json: false });
  const done = transferAll(
    { output, progress: createProgress(output, terminal, { label: 'put' }) },
    items,
    work,
    {
      nameOf: (item) => `file ${item}`,
      sizeOf: () => 0,
      isSingle: false,
      signal: new AbortController().signal,
    },
  );
  return { done, said: (): string => String(stderr.read() ?? '') };
}

it('tells what failed before the listing did', async () => {
  async function* items(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw new Error('no more is known');
  }
  const { done, said } = pool(items(), async (item) => {
    if (item === 1) throw new Error('the first');
  });
  await expect(done).rejects.toThrow('no more is known');
  expect(said()).toBe('holdfast: file 1:\nholdfast: the first\n');
});

it.each(['METADATA_NO_QUORUM', 'CLIENT_NO_METADATA', 'CLIENT_OUTCOME_UNKNOWN'])(
  'begins nothing new when the cluster is away: %s',
  async (code) => {
    let begun = 0;
    const items = Array.from({ length: 1_000 }, (_, item) => item);
    const { done } = pool(items, async () => {
      begun += 1;
      throw new HoldfastError({ code, kind: 'unavailable', message: 'nobody' });
    });
    await expect(done).rejects.toMatchObject({ code });
    expect(begun).toBeLessThan(300);
  },
);

it('goes on when one file cannot be had though the cluster answers', async () => {
  let begun = 0;
  const { done } = pool([1, 2, 3], async () => {
    begun += 1;
    throw new HoldfastError({ code: 'CLIENT_BLOCK_UNAVAILABLE', kind: 'unavailable', message: 'no copy' });
  });
  await expect(done).rejects.toMatchObject({ code: 'CLI_PARTLY_FAILED' });
  expect(begun).toBe(3);
});
