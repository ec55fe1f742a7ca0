/** @module Rate and time left, and how they are shown: a bar on a terminal, lines elsewhere, nothing beside JSON. */
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe as group, expect, it, vi } from 'vitest';
import { Output } from '../../cli/output.ts';
import { createProgress, describe, type Progress, RateMeter } from '../../cli/progress-bar.ts';

const MIB = 1024 * 1024;

group('progress', () => {
  it('tells what is done, how fast, and what is left', () => {
    expect(describe(64 * MIB, 256 * MIB, 64 * MIB)).toBe('64.0 MiB of 256.0 MiB | 64.0 MiB/s | 3.0 s left');
  });

  it('claims nothing it does not know', () => {
    expect(describe(64 * MIB, 0, 64 * MIB)).toBe('64.0 MiB | 64.0 MiB/s');
    expect(describe(0, MIB, 0)).toBe('0 B of 1.0 MiB | 0 B/s | ? left');
  });

  it('measures over the last seconds, not from the beginning', () => {
    const meter = new RateMeter();
    expect(meter.measure(0, 0)).toBe(0);
    expect(meter.measure(1000, 100)).toBe(100);
    for (let second = 2; second <= 20; second++) meter.measure(second * 1000, 100 + (second - 1) * 10);
    expect(meter.measure(21_000, 300)).toBeCloseTo(10, 0);
  });

  it('has a rate even when updates come more rarely than its window is long', () => {
    const meter = new RateMeter();
    meter.measure(0, 0);
    expect(meter.measure(20_000, 200)).toBe(10);
    expect(meter.measure(40_000, 600)).toBe(20);
  });
});

group('what is shown of it', () => {
  let shown: string;

  beforeEach(() => {
    shown = '';
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => vi.useRealTimers());

  function start({ isInteractive = false, json = false }): Progress {
    const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
      shown += chunk.toString();
      done();
    };
    const stderr = Object.assign(new Writable({ write }), { isTTY: isInteractive, columns: 120 });
    const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, env: {}, isInteractive };
    const progress = createProgress(new Output(terminal, { json }), terminal, { label: 'put' });
    progress.expect(8 * MIB);
    return progress;
  }

  /** Two of eight MiB within a second each. */
  function transfer(progress: Progress): void {
    for (const doneBytes of [MIB, 2 * MIB]) {
      vi.advanceTimersByTime(1_000);
      progress.update('/file', doneBytes);
    }
  }

  it('on a terminal is a bar with percentage, rate and time left, drawn over itself', () => {
    const progress = start({ isInteractive: true });
    transfer(progress);
    vi.advanceTimersByTime(1_000);
    progress.stop();
    expect(progress.isDrawn).toBe(true);
    expect(shown).toMatch(/put \[[^\]]{24}\] 25% \| 2\.0 MiB of 8\.0 MiB \| 1\.0 MiB\/s \| 6\.0 s left/);
    expect(shown.split('\n')).toHaveLength(2);
  });

  it('elsewhere is a line every five seconds', () => {
    const progress = start({});
    transfer(progress);
    expect(shown).toBe('');
    vi.advanceTimersByTime(3_000);
    progress.update('/file', 3 * MIB);
    progress.update('/other', MIB);
    progress.stop();
    expect(progress.isDrawn).toBe(false);
    expect(shown).toMatch(/^put: 3\.0 MiB of 8\.0 MiB \| [\d.]+ KiB\/s \| [\d.]+ s left\n$/);
  });

  it('beside JSON is nothing', () => {
    const progress = start({ isInteractive: true, json: true });
    transfer(progress);
    vi.advanceTimersByTime(10_000);
    progress.update('/file', 8 * MIB);
    progress.stop();
    expect(shown).toBe('');
  });
});
