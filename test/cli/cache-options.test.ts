/** @module Where a command's cache is: from its options, or from what surrounds it. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { cacheOf } from '../../cli/cache-options.ts';
import { MIB } from '../../src/common/bytes.ts';
import { run } from './fake-terminal.ts';

const terminal = (env: Record<string, string>): Parameters<typeof cacheOf>[1] => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  env,
  isInteractive: false,
});

it('has none unless it is asked for', () => {
  expect(cacheOf({}, terminal({}))).toBeUndefined();
  expect(cacheOf({}, terminal({ HOLDFAST_CACHE: '', HOLDFAST_CACHE_TTL: '5m' }))).toBeUndefined();
});

it('takes what the surroundings say, and options before that', () => {
  const env = { HOLDFAST_CACHE: '/c', HOLDFAST_CACHE_TTL: '5m', HOLDFAST_CACHE_SIZE: '64MiB' };
  expect(cacheOf({}, terminal(env))).toEqual({ directory: '/c', ttlMs: 300_000, sizeBytes: 64 * MIB });
  const flags = { cache: '/d', cacheTtl: 1_000, cacheSize: MIB };
  expect(cacheOf(flags, terminal(env))).toEqual({ directory: '/d', ttlMs: 1_000, sizeBytes: MIB });
});

it('says what is wrong with a surrounding, and of an option without a cache', async () => {
  const env = { HOLDFAST_CACHE: '/c', HOLDFAST_CACHE_TTL: 'soon' };
  expect(() => cacheOf({}, terminal(env))).toThrow(/HOLDFAST_CACHE_TTL is soon\. Write a time/);
  expect(await run(['get', '/a', '--cache-ttl', '1m'])).toMatchObject({ status: 2 });
});
