/** @module Sizes, times, paths and tables as people write and read them. */
import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../../cli/byte-size.ts';
import { formatDuration, formatTime, parseDuration } from '../../cli/duration.ts';
import { baseName, joinPath, parseRemotePath } from '../../cli/remote-path.ts';
import { textTable } from '../../cli/text-table.ts';

describe('sizes', () => {
  it.each([
    ['65536', 65_536],
    ['64KiB', 65_536],
    ['64k', 65_536],
    ['1.5 MiB', 1_572_864],
    ['2TB', 2 * 1024 ** 4],
  ])('reads %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', 'x', '-1', '1.2.3M', '8 MM', '99999P'])('refuses "%s"', (text) =>
    expect(() => parseBytes(text)).toThrow(),
  );

  it('are shown in the largest unit that gives at least one', () => {
    expect([0, 1023, 1024, 1_572_864, 5 * 1024 ** 3].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 MiB',
      '5.0 GiB',
    ]);
  });
});

describe('times', () => {
  it('are read with their unit', () => {
    expect(['90s', '15m', '24h', '7d'].map(parseDuration)).toEqual([
      90_000, 900_000, 86_400_000, 604_800_000,
    ]);
  });

  it.each(['', '5', '5w', '-1h'])('refuses "%s"', (text) => expect(() => parseDuration(text)).toThrow());

  it('are shown in one unit', () => {
    expect([850, 2_000, 90_000, 600_000, 90_000_000].map(formatDuration)).toEqual([
      '850 ms',
      '2.0 s',
      '90 s',
      '10 min',
      '25 h',
    ]);
    expect(formatTime(0)).toBe('1970-01-01 00:00:00');
    expect(formatTime(-1)).toBe('1969-12-31 23:59:59');
    expect(formatTime(253_402_300_800_000)).toBe('+010000-01-01 00:00:00');
    expect(formatTime(9e15)).toBe('?');
  });
});

describe('paths in the cluster', () => {
  it.each([
    ['a/b', '/a/b', false],
    ['/a//b/', '/a/b', true],
    ['/', '/', true],
    ['/a b/ü', '/a b/ü', false],
    ['/a/../b', '/a/../b', false],
  ])('reads %s', (text, path, isDirectory) => expect(parseRemotePath(text)).toEqual({ path, isDirectory }));

  it('refuses an empty name', () => expect(() => parseRemotePath('')).toThrow(/root is "\/"/));

  it('are taken apart and put together', () => {
    expect([baseName('/a/b'), baseName('/'), joinPath('/', 'a'), joinPath('/a', 'b')]).toEqual([
      'b',
      '',
      '/a',
      '/a/b',
    ]);
  });
});

describe('a table', () => {
  it('lines its columns up, numbers to the right', () => {
    expect(
      textTable(
        [
          ['N', 'NAME'],
          ['12', 'x'],
        ],
        [0],
      ),
    ).toEqual([' N  NAME', '12  x']);
  });
});
