/** @module Rate and time left. */
import { describe as group, expect, it } from 'vitest';
import { describe, RateMeter } from '../../cli/progress-bar.ts';

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
