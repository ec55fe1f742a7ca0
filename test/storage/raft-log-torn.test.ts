/** @module Raft logs on real files, cut and flipped at every byte of what was written last: torn tails and rot are told apart. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  flipped,
  imageOf,
  isRefusal,
  type LogFile,
  type LogImage,
  openLog,
  outcomesOf,
  range,
  size,
  truncated,
  type WrittenLog,
  writtenLog,
} from './damaged-log.ts';
import { append, entries } from './raft-log-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** What is not the last acknowledged write is tried in steps of this, a prime, so that every place within a page comes up. */
const STRIDE = 29;
/** Two slots a page apart; 88 bytes of each are the mark. */
const MARK_BYTES = [...range(0, 88), ...range(4096, 4096 + 88)];

interface Killed extends Pick<WrittenLog, 'lastWriteAt' | 'acknowledged'> {
  readonly image: LogImage;
}

describe('a Raft log whose process was killed', () => {
  let killed: Killed;

  beforeEach(async () => {
    killed = await killedLog();
  });

  it('is whole when nothing has touched its files', async () => {
    expect(await outcomesOf([killed.image], killed.acknowledged)).toEqual({ whole: 1 });
  });

  it('is refused as behind its marker when its WAL is cut at any byte of the last acknowledged write', async () => {
    const { image, lastWriteAt, acknowledged } = killed;
    const cuts = range(lastWriteAt, size(image, '-wal')).map((at) => truncated(image, '-wal', at));
    expect(await outcomesOf(cuts, acknowledged)).toEqual({ STORAGE_LOG_BEHIND: cuts.length });
  });

  it('is refused when any byte of the last acknowledged write has rotted in its WAL', async () => {
    const { image, lastWriteAt, acknowledged } = killed;
    const flips = range(lastWriteAt, size(image, '-wal')).map((at) => flipped(image, '-wal', at));
    expect(await outcomesOf(flips, acknowledged)).toEqual({ STORAGE_LOG_BEHIND: flips.length });
  });

  it('is refused when earlier writes in its WAL are cut off or have rotted', async () => {
    const { image, lastWriteAt, acknowledged } = killed;
    const damaged = range(0, lastWriteAt, STRIDE).flatMap((at) => [
      truncated(image, '-wal', at),
      flipped(image, '-wal', at),
    ]);
    expect(Object.keys(await outcomesOf(damaged, acknowledged)).every(isRefusal)).toBe(true);
  });

  it('opens with every acknowledged write, wherever one that was not is cut or has rotted', async () => {
    const { image, acknowledged } = killed;
    const torn = await withUnacknowledgedWrite();
    const from = size(image, '-wal');
    const damaged = range(from, size(torn, '-wal'), STRIDE).flatMap((at) => [
      truncated(torn, '-wal', at),
      flipped(torn, '-wal', at),
    ]);
    expect(await outcomesOf(damaged, acknowledged)).toEqual({ whole: damaged.length });
    expect(await outcomesOf([torn], acknowledged)).toEqual({ ahead: 1 });
  });

  it('is refused without a write that nobody marked but a later start found and acted upon', async () => {
    const { image, acknowledged } = killed;
    const restarted = await afterAnotherStart(await withUnacknowledgedWrite());
    const from = size(image, '-wal');
    const cuts = range(from, size(restarted, '-wal'), STRIDE).map((at) => truncated(restarted, '-wal', at));
    expect(await outcomesOf(cuts, acknowledged)).toEqual({ STORAGE_LOG_BEHIND: cuts.length });
    expect(cuts.length).toBeGreaterThan(10);
  });

  it('is refused without its WAL', async () => {
    const { image, acknowledged } = killed;
    const without = new Map([...image].filter(([file]) => file !== '-wal'));
    expect(Object.keys(await outcomesOf([without], acknowledged)).every(isRefusal)).toBe(true);
  });

  it('is whole or refused whatever byte of its marker has rotted, and refused when both marks have', async () => {
    const { image, acknowledged } = killed;
    const damaged = MARK_BYTES.map((at) => flipped(image, '.mark', at));
    expect(await outcomesOf(damaged, acknowledged)).toEqual({ whole: damaged.length });
    const both = flipped(flipped(image, '.mark', 9), '.mark', 4096 + 9);
    expect(await outcomesOf([both, truncated(image, '.mark', 0)], acknowledged)).toEqual({
      STORAGE_CORRUPT_LOG: 2,
    });
  });

  it('is refused when the marker or the log is gone', async () => {
    const { image, acknowledged } = killed;
    const without = (...gone: LogFile[]): LogImage =>
      new Map([...image].filter(([file]) => !gone.includes(file)));
    expect(await outcomesOf([without('.mark')], acknowledged)).toEqual({ STORAGE_LOST_MARKER: 1 });
    expect(await outcomesOf([without(''), without('', '-wal', '.mark')], acknowledged)).toEqual({
      STORAGE_LOST_LOG: 2,
    });
    expect(await outcomesOf([truncated(image, '', 0)], acknowledged)).toEqual({ STORAGE_CORRUPT_LOG: 1 });
  });
});

async function killedLog(): Promise<Killed> {
  const { path, log, ...killed } = await writtenLog();
  const image = await imageOf(path);
  await log.close();
  return { ...killed, image };
}

/** A node begins a run with these files, and is killed before it writes anything. */
async function afterAnotherStart(image: LogImage): Promise<LogImage> {
  const path = join(await temporaryDirectory(), 'raft.db');
  for (const [file, bytes] of image) await writeFile(`${path}${file}`, bytes);
  const log = await openLog(path);
  await log.beginBoot();
  const after = await imageOf(path);
  await log.close();
  return after;
}

/** The process ended after a commit and before its mark. */
async function withUnacknowledgedWrite(): Promise<LogImage> {
  const { path, log } = await writtenLog();
  const before = await imageOf(path);
  await append(log, entries(14, 15, 3));
  const after = await imageOf(path);
  await log.close();
  return new Map(after).set('.mark', before.get('.mark') as Buffer);
}
