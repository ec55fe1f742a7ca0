/** @module What every BlockStore must do. */
import { describe, expect, it } from 'vitest';
import { KIB, MIB, toHex } from '../../src/common/bytes.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { PieceMemory } from '../../src/common/piece-memory.ts';
import {
  type BlockOrigin,
  type BlockStore,
  CHUNK_BYTES,
  MAX_FURTHER_ORIGINS,
  type NewBlock,
} from '../../src/storage/block-store.ts';
import type { QuarantineNote } from '../../src/storage/block-info.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface OpenOptions {
  readonly capacityBytes?: number;
}

/** Small enough to be packed, just over it, at the edges of a CRC range and of a chunk. */
const SIZES = [1, 1000, 64 * KIB, 64 * KIB + 1, 128 * KIB, MIB, 2 * MIB + 12_345];

export const GARBAGE: QuarantineNote = { reason: 'garbage', era: 4, index: 17, sinceMs: 1_700_000_000_000 };

export function blockStoreSuite(
  name: string,
  open: (directory: string, options: OpenOptions) => Promise<BlockStore>,
): void {
  const fresh = async (options: OpenOptions = {}): Promise<BlockStore> => {
    return await open(await temporaryDirectory(), options);
  };

  describe(`${name} as a BlockStore`, () => {
    it.each(SIZES)('gives back a block of %i bytes, its size and its origin', async (sizeBytes) => {
      const store = await fresh();
      const data = patterned(sizeBytes);
      const block = await put(store, data);
      expect(store.has(block.hash)).toBe(true);
      expect(store.info(block.hash)).toEqual({ hash: block.hash, sizeBytes });
      expectBytes(await readAll(store, block.hash), data);
      expect(await store.origin(block.hash)).toEqual(block.origin);
      expect(await store.verify(block.hash)).toBe(true);
      await store.close();
    });

    it.each([1000, 64 * KIB + 1])(
      'keeps what the writer of %i bytes said, and every further place that alike blocks have, once each',
      async (sizeBytes) => {
        const store = await fresh();
        const data = patterned(sizeBytes);
        const write = new Uint8Array([1, 0, 255]);
        const first = { fileId: 0, pathHint: '/a', position: 0, write };
        const second = { fileId: 7, pathHint: '/b', position: 2 };
        const third = { fileId: 8, pathHint: '/c', position: 0 };
        await putAt(store, data, first);
        await putAt(store, data, second);
        const { hash } = await putAt(store, data, first);
        await store.describe(hash, third);
        await store.describe(hash, second);
        expect(await store.origins(hash)).toEqual([first, second, third]);
        await store.quarantine(hash, GARBAGE);
        await store.release(hash);
        expect(await store.origins(hash)).toHaveLength(3);
        await store.remove(hash);
        await putAt(store, data, third);
        expect(await store.origins(hash)).toEqual([third]);
        await store.close();
      },
    );

    it.each([1000, 64 * KIB + 1])(
      'tells of %i bytes in quarantine what they were part of',
      async (sizeBytes) => {
        const store = await fresh();
        const data = patterned(sizeBytes);
        const first = { fileId: 0, pathHint: '/a', position: 0, write: new Uint8Array([1, 0, 255]) };
        const second = { fileId: 7, pathHint: '/b', position: 2 };
        const { hash } = await putAt(store, data, first);
        await store.describe(hash, second);
        expect(await store.quarantinedOrigins(hash)).toEqual([]);
        await store.quarantine(hash, { ...GARBAGE, reason: 'corrupt' });
        expect(await store.quarantinedOrigins(hash)).toEqual([first, second]);
        await store.purge(hash);
        expect(await store.quarantinedOrigins(hash)).toEqual([]);
        await store.close();
      },
    );

    it('bounds the further places of one block', async () => {
      const store = await fresh();
      const { hash } = await put(store, patterned(1000));
      for (let position = 0; position < MAX_FURTHER_ORIGINS + 5; position += 1)
        await store.describe(hash, { fileId: 1, pathHint: '/again', position });
      expect(await store.origins(hash)).toHaveLength(1 + MAX_FURTHER_ORIGINS);
      await store.close();
    });

    it('gives any range, cut at the end of the block, in chunks of at most 1 MiB', async () => {
      const store = await fresh();
      for (const sizeBytes of [5000, 2 * MIB + 7]) {
        const data = patterned(sizeBytes);
        const { hash } = await put(store, data);
        const ranges = [
          [0, 1],
          [sizeBytes - 1, 1],
          [100, 65_536],
          [65_535, 2],
          [1000, sizeBytes],
          [sizeBytes, 5],
          [3, 0],
        ];
        for (const [offset = 0, length = 0] of ranges)
          expectBytes(await readAll(store, hash, { offset, length }), data.subarray(offset, offset + length));
        for await (const chunk of store.read(hash)) expect(chunk.length).toBeLessThanOrEqual(MIB);
      }
      await store.close();
    });

    it('reads over memory that was taken back, and leaves what is stored alone', async () => {
      const store = await fresh();
      const memory = new PieceMemory({ pieceBytes: CHUNK_BYTES });
      const blocks = [1000, 300 * KIB, CHUNK_BYTES + 5].map((sizeBytes, seed) => patterned(sizeBytes, seed));
      const hashes = await Promise.all(blocks.map(async (data) => (await put(store, data)).hash));
      for (let round = 0; round < 2; round += 1)
        for (const [at, data] of blocks.entries()) {
          const copies: Buffer[] = [];
          const range = { offset: round, length: data.length };
          for await (const chunk of store.read(hashes[at] as string, range, memory)) {
            copies.push(Buffer.from(chunk));
            if (memory.takeBack(chunk)) chunk.fill(0xee);
          }
          expectBytes(Buffer.concat(copies), data.subarray(round));
        }
      await store.close();
    });

    it('shows nothing of a block before commit has resolved', async () => {
      const store = await fresh();
      for (const sizeBytes of [1000, 300 * KIB]) {
        const data = patterned(sizeBytes);
        const block = described(data);
        const writer = await store.create(block);
        await writer.write(data);
        expect(store.has(block.hash)).toBe(false);
        expect(store.list(undefined, 10).map((info) => info.hash)).not.toContain(block.hash);
        await expect(readAll(store, block.hash)).rejects.toMatchObject({ code: 'STORAGE_NO_BLOCK' });
        await writer.commit();
        expect(store.has(block.hash)).toBe(true);
      }
      await store.close();
    });

    it('keeps nothing of a block whose bytes, or whose number of bytes, are not what was announced', async () => {
      const store = await fresh();
      for (const sizeBytes of [1000, 300 * KIB]) {
        const data = patterned(sizeBytes);
        const wrong = Uint8Array.from(data);
        wrong[500] = 255 - (wrong[500] ?? 0);
        for (const written of [wrong, data.subarray(1)]) {
          const writer = await store.create(described(data));
          await writer.write(written);
          await expect(writer.commit()).rejects.toMatchObject({ code: 'STORAGE_HASH_MISMATCH' });
        }
        const writer = await store.create(described(data));
        await writer.write(data);
        await expect(writer.write(new Uint8Array(1))).rejects.toMatchObject({
          code: 'STORAGE_HASH_MISMATCH',
        });
        await expect(writer.commit()).rejects.toMatchObject({ code: 'STORAGE_WRITER_ENDED' });
      }
      expect(await store.usage()).toMatchObject({ usedBytes: 0, blockCount: 0 });
      await store.close();
    });

    it('lets two writers of the same block both succeed', async () => {
      const store = await fresh();
      for (const data of [patterned(1000), patterned(300 * KIB)]) {
        const blocks = await Promise.all([put(store, data), put(store, data), put(store, data)]);
        expectBytes(await readAll(store, blocks[0].hash), data);
      }
      expect((await store.usage()).blockCount).toBe(2);
      await store.close();
    });

    it('verifies what is written as a block that it has already', async () => {
      const store = await fresh();
      const data = patterned(1000);
      await put(store, data);
      const writer = await store.create(described(data));
      await writer.write(patterned(1000, 9));
      await expect(writer.commit()).rejects.toMatchObject({ code: 'STORAGE_HASH_MISMATCH' });
      expectBytes(await readAll(store, described(data).hash), data);
      await store.close();
    });

    it('gives back the room of an aborted block', async () => {
      const store = await fresh({ capacityBytes: 100 * KIB });
      const writer = await store.create(described(patterned(80 * KIB)));
      await writer.write(patterned(80 * KIB));
      await expect(store.create(described(patterned(30 * KIB)))).rejects.toMatchObject({
        code: 'STORAGE_FULL',
      });
      await writer.abort();
      await writer.abort();
      await expect(writer.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'STORAGE_WRITER_ENDED' });
      await put(store, patterned(100 * KIB));
      expect(await store.usage()).toEqual({
        capacityBytes: 100 * KIB,
        usedBytes: 100 * KIB,
        freeBytes: 0,
        blockCount: 1,
        quarantinedBytes: 0,
        quarantinedCount: 0,
      });
      await store.close();
    });

    it('lets an abort that comes during a commit wait for it', async () => {
      const store = await fresh();
      for (const data of [patterned(1000), patterned(300 * KIB)]) {
        const writer = await store.create(described(data));
        await writer.write(data);
        const committing = writer.commit();
        await writer.abort();
        await committing;
        expectBytes(await readAll(store, described(data).hash), data);
      }
      await store.close();
    });

    it('lists all blocks in hash order, page by page', async () => {
      const store = await fresh();
      const hashes = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => (await put(store, patterned(100, at))).hash),
      );
      const listed: string[] = [];
      for (let page = store.list(undefined, 7); page.length > 0; page = store.list(listed.at(-1), 7))
        listed.push(...page.map((info) => info.hash));
      expect(listed).toEqual(hashes.toSorted());
      await store.close();
    });

    it('counts in what it has below a prefix, and nothing that is on its way, removed or in quarantine', async () => {
      const store = await fresh();
      for (const sizeBytes of [1000, 300 * KIB]) {
        const data = patterned(sizeBytes);
        const block = described(data);
        const count = (): number => store.combined(block.hash.slice(0, 3)).count;
        const writer = await store.create(block);
        await writer.write(data);
        expect(count()).toBe(0);
        await writer.commit();
        await put(store, data);
        expect(count()).toBe(1);
        expect(toHex(store.combined(block.hash.slice(0, 3)).hash)).toBe(block.hash);
        await store.quarantine(block.hash, GARBAGE);
        expect(count()).toBe(0);
        await store.release(block.hash);
        expect(count()).toBe(1);
        await store.remove(block.hash);
        expect(count()).toBe(0);
      }
      await store.close();
    });

    it('neither serves nor lists what was removed or quarantined, and takes it again', async () => {
      const store = await fresh();
      for (const sizeBytes of [1000, 300 * KIB]) {
        for (const takeOut of [
          (hash: string) => store.remove(hash),
          (hash: string) => store.quarantine(hash, GARBAGE),
        ]) {
          const { hash } = await put(store, patterned(sizeBytes));
          await takeOut(hash);
          expect([store.has(hash), store.list(undefined, 10)]).toEqual([false, []]);
          await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_NO_BLOCK' });
          await expect(takeOut(hash)).rejects.toMatchObject({ code: 'STORAGE_NO_BLOCK' });
          await put(store, patterned(sizeBytes));
          expect(await store.verify(hash)).toBe(true);
          await store.remove(hash);
        }
      }
      expect(await store.usage()).toMatchObject({ usedBytes: 0, blockCount: 0, quarantinedCount: 0 });
      await store.close();
    });

    it('brings a quarantined block back whole, and deletes it for good only when told to', async () => {
      const store = await fresh({ capacityBytes: 400 * KIB });
      for (const sizeBytes of [1000, 300 * KIB]) {
        const data = patterned(sizeBytes);
        const { hash, origin } = await put(store, data);
        expect(await store.quarantine(hash, GARBAGE)).toBe(true);
        expect(store.quarantined(undefined, 10)).toEqual([{ hash, sizeBytes, ...GARBAGE }]);
        expect(await store.usage()).toMatchObject({
          usedBytes: sizeBytes,
          freeBytes: 400 * KIB - sizeBytes,
          blockCount: 0,
          quarantinedBytes: sizeBytes,
        });
        expect([await store.release(hash), await store.release(hash)]).toEqual([true, false]);
        expectBytes(await readAll(store, hash), data);
        expect(await store.origin(hash)).toEqual(origin);
        await store.quarantine(hash, GARBAGE);
        expect([await store.purge(hash), await store.purge(hash)]).toEqual([true, false]);
        expect(await store.release(hash)).toBe(false);
        expect(await store.usage()).toMatchObject({ usedBytes: 0, quarantinedCount: 0 });
      }
      await store.close();
    });

    it('quarantines only what its caller still wants quarantined at that moment', async () => {
      const store = await fresh();
      const { hash } = await put(store, patterned(1000));
      expect(await store.quarantine(hash, GARBAGE, () => false)).toBe(false);
      expect(store.has(hash)).toBe(true);
      await store.close();
    });

    it('never brings a bad copy back, and keeps it beside the good one that took its place', async () => {
      const store = await fresh();
      for (const sizeBytes of [1000, 300 * KIB]) {
        const { hash } = await put(store, patterned(sizeBytes));
        await store.quarantine(hash, { ...GARBAGE, reason: 'corrupt' });
        expect(await store.release(hash)).toBe(false);
        await put(store, patterned(sizeBytes));
        expect(store.quarantined(undefined, 10)).toMatchObject([{ hash, reason: 'corrupt' }]);
        await store.quarantine(hash, GARBAGE);
        expect(store.quarantined(undefined, 10)).toMatchObject([{ hash, reason: 'garbage' }]);
        await store.purge(hash);
      }
      await store.close();
    });

    it('lists quarantined blocks in hash order, page by page', async () => {
      const store = await fresh();
      const blocks = await Promise.all(Array.from({ length: 20 }, (_, at) => put(store, patterned(100, at))));
      await Promise.all(blocks.map(({ hash }) => store.quarantine(hash, GARBAGE)));
      const listed: string[] = [];
      for (;;) {
        const page = store.quarantined(listed.at(-1), 7);
        if (page.length === 0) break;
        listed.push(...page.map(({ hash }) => hash));
      }
      expect(listed).toEqual(blocks.map(({ hash }) => hash).toSorted());
      await store.close();
    });

    it('refuses blocks after close', async () => {
      const store = await fresh();
      await store.close();
      await expect(store.create(described(patterned(10)))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    });
  });
}

/** Bytes that differ from one 64 KiB range to the next. */
export function patterned(sizeBytes: number, seed = 1): Uint8Array {
  const data = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 1)
    data[at] = (at * 31 + (at >> 16) * 7 + seed * 101 + (at >> 8)) & 255;
  return data;
}

export function described(data: Uint8Array): NewBlock {
  const origin = { fileId: 2 ** 40 + 5, pathHint: '/photos/été 😀.jpg', position: 3 };
  return { hash: toHex(sha256(data)), sizeBytes: data.length, origin };
}

/** Compares natively: `toEqual` looks at millions of bytes one by one. */
export function expectBytes(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.length).toBe(wanted.length);
  expect(Buffer.compare(got, wanted)).toBe(0);
}

/** Writes in uneven pieces, as a stream would. */
export async function put(store: BlockStore, data: Uint8Array, pieceBytes = 50_001): Promise<NewBlock> {
  const block = described(data);
  const writer = await store.create(block);
  for (let at = 0; at < data.length; at += pieceBytes) await writer.write(data.subarray(at, at + pieceBytes));
  await writer.commit();
  return block;
}

async function putAt(store: BlockStore, data: Uint8Array, origin: BlockOrigin): Promise<NewBlock> {
  const block = { ...described(data), origin };
  const writer = await store.create(block);
  await writer.write(data);
  await writer.commit();
  return block;
}

export async function readAll(
  store: BlockStore,
  hash: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(hash, range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
