import { describe, expect, it } from 'vitest';
import { direntKey, direntRange, numberKey } from '../../src/namespace/keys.ts';
import { isInside, joinPath, splitPath } from '../../src/namespace/path.ts';

describe('paths', () => {
  it('splits and joins, with one spelling for each place', () => {
    expect(splitPath('/')).toEqual([]);
    expect(splitPath('//a/ b c//é/')).toEqual(['a', ' b c', 'é']);
    expect(joinPath([])).toBe('/');
    expect(joinPath(['a', 'b'])).toBe('/a/b');
  });

  it('takes names of 255 bytes, not characters, and paths of 4096', () => {
    expect(splitPath(`/${'é'.repeat(127)}x`)).toHaveLength(1);
    expect(() => splitPath(`/${'é'.repeat(128)}`)).toThrow(/255 bytes/);
    expect(splitPath('/a'.repeat(2048))).toHaveLength(2048);
    expect(() => splitPath(`${'/a'.repeat(2048)}/`)).toThrow(/4096 bytes/);
  });

  it.each(['', 'a', 'a/b', '/.', '/a/..', '/a\0b', '/\ud800', '/../a'])('refuses %j', (path) => {
    expect(() => splitPath(path)).toThrow(expect.objectContaining({ code: 'NAMESPACE_INVALID_NAME' }));
  });

  it('tells what lies inside what by whole names', () => {
    expect(isInside(['a', 'b'], ['a'])).toBe(true);
    expect(isInside(['a'], ['a'])).toBe(false);
    expect(isInside(['ab', 'c'], ['a'])).toBe(false);
    expect(isInside(['a'], [])).toBe(true);
  });
});

describe('keys', () => {
  it('orders numbers as their text', () => {
    const numbers = [0, 9, 10, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER];
    expect(numbers.map(numberKey)).toEqual(numbers.map(numberKey).toSorted());
    expect(() => numberKey(2 ** 53)).toThrow(/safe integer/);
    expect(() => numberKey(-1)).toThrow(/safe integer/);
  });

  it('holds the entries of one directory, and only those, in a range', () => {
    const { from, to } = direntRange(16, '');
    const isIn = (key: string): boolean => from <= key && key < to;
    expect(isIn(direntKey(16, '\u0001'))).toBe(true);
    expect(isIn(direntKey(16, '\uffff'))).toBe(true);
    expect(isIn(direntKey(17, 'a'))).toBe(false);
    expect(direntRange(16, 'a').from > direntKey(16, 'a')).toBe(true);
    expect(direntRange(16, 'a').from < direntKey(16, 'a\u0001')).toBe(true);
  });
});
