/** @module `--cache`: blocks that were read are kept on this machine's disk. */
import { type Command, InvalidArgumentError } from 'commander';
import type { CacheSettings } from '../src/client/cache/client-cache.ts';
import { parseBytes } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { usage } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** What is not given comes from HOLDFAST_CACHE, HOLDFAST_CACHE_TTL and HOLDFAST_CACHE_SIZE. */
export interface CacheFlags {
  readonly cache?: string;
  /** Milliseconds. */
  readonly cacheTtl?: number;
  /** Bytes. */
  readonly cacheSize?: number;
}

/** For commands that read files. Others only look at the surroundings, to forget what they change. */
export function addCacheOptions(command: Command): Command {
  return command
    .option(
      '--cache <directory>',
      'keep blocks that were read here, and read them from here (HOLDFAST_CACHE)',
    )
    .option(
      '--cache-ttl <time>',
      'see files as they were up to so long ago without asking the cluster; a change made with the same HOLDFAST_CACHE counts at once (HOLDFAST_CACHE_TTL, default: always ask)',
      parseDuration,
    )
    .option('--cache-size <size>', 'bytes of blocks to keep (HOLDFAST_CACHE_SIZE, default 4GiB)', parseBytes);
}

/** Undefined without a cache. Errors: CLI_USAGE. */
export function cacheOf(flags: CacheFlags, { env }: Terminal): CacheSettings | undefined {
  const directory = flags.cache ?? env['HOLDFAST_CACHE'] ?? '';
  if (directory === '') {
    if (flags.cacheTtl === undefined && flags.cacheSize === undefined) return undefined;
    throw usage(
      '--cache-ttl and --cache-size say how to use a cache, and there is none. Add --cache DIRECTORY.',
    );
  }
  return {
    directory,
    ttlMs: flags.cacheTtl ?? fromSurroundings(env, 'HOLDFAST_CACHE_TTL', parseDuration),
    sizeBytes: flags.cacheSize ?? fromSurroundings(env, 'HOLDFAST_CACHE_SIZE', parseBytes),
  };
}

function fromSurroundings(
  env: Terminal['env'],
  name: string,
  parse: (text: string) => number,
): number | undefined {
  const text = env[name] ?? '';
  if (text === '') return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw usage(`${name} is ${text}. ${error.message}`);
    throw error;
  }
}
