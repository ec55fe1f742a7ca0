/** @module Room for blocks: how often the file system is asked, and that no more is promised than there is. */
import { expect, it } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import { BlockIndex } from '../../src/storage/block-index.ts';
import { BlockRoom, type RoomOptions } from '../../src/storage/block-room.ts';
import { Quarantine } from '../../src/storage/quarantine.ts';

class Disk {
  freeBytes: number;
  questions = 0;

  constructor(freeBytes: number) {
    this.freeBytes = freeBytes;
  }

  room(options: Partial<RoomOptions> = {}): BlockRoom {
    const freeBytes = async (): Promise<number> => {
      this.questions += 1;
      return this.freeBytes;
    };
    const held = { index: new BlockIndex(), quarantine: new Quarantine() };
    return new BlockRoom({ ...held, freeBytes }, { reserveBytes: 0, name: 'disk', ...options });
  }
}

it('asks a file system with ample room once for a MiB of small blocks', async () => {
  const disk = new Disk(1024 * MIB);
  const room = disk.room({ reserveBytes: 16 * MIB });
  for (let block = 0; block < 256; block += 1) {
    await room.promise(4 * KIB);
    room.release(4 * KIB);
  }
  expect(disk.questions).toBeLessThanOrEqual(2);
});

it('notices within a MiB that others have filled the disk', async () => {
  const disk = new Disk(1024 * MIB);
  const room = disk.room({ reserveBytes: 16 * MIB });
  await room.promise(4 * KIB);
  disk.freeBytes = 16 * MIB;
  const promises = Array.from({ length: 512 }, () => room.promise(4 * KIB));
  const kept = (await Promise.allSettled(promises)).filter(({ status }) => status === 'fulfilled').length;
  expect(kept * 4 * KIB).toBeLessThanOrEqual(MIB);
  await expect(room.promise(1)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
});

it('takes at once notice of a disk that others have filled, where nothing is kept in reserve for that', async () => {
  const disk = new Disk(1024 * MIB);
  const room = disk.room();
  await room.promise(4 * KIB);
  disk.freeBytes = 4 * KIB;
  await expect(room.promise(4 * KIB)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
});

it('asks for every block where room is scarce, and never promises more than there is', async () => {
  const disk = new Disk(100 * KIB);
  const room = disk.room();
  for (let block = 0; block < 25; block += 1) await room.promise(4 * KIB);
  expect(disk.questions).toBe(25);
  await expect(room.promise(1)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  room.release(4 * KIB);
  await room.promise(4 * KIB);
});

it('never promises more than its capacity, however large the disk is', async () => {
  const room = new Disk(1024 * MIB).room({ capacityBytes: 80 * MIB });
  let kept = 0;
  for (let block = 0; block < 100; block += 1)
    await room.promise(MIB).then(
      () => (kept += 1),
      () => undefined,
    );
  expect(kept).toBe(80);
});
