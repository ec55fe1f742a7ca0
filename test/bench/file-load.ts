/** @module Clients at work beside a benchmark: files written and read without pause, every operation timed. */
import type { Client } from '../../src/index.ts';
import { MIB } from '../../src/common/bytes.ts';
import { percentile, round } from './statistics.ts';

export interface LoadFigures<T> {
  readonly result: T;
  readonly operations: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly medianMs: number;
  readonly slowestMs: number;
  /** What the slowest were, and when they began after `work` did. */
  readonly slowest: readonly Operation[];
  /** Of the failures, a few. */
  readonly errors: readonly string[];
}

export interface Operation {
  readonly kind: 'put' | 'get';
  readonly beganMs: number;
  readonly tookMs: number;
}

export interface FileLoad {
  /** What the clients did while `work` went on; operations count when they end in it. */
  during<T>(work: () => Promise<T>): Promise<LoadFigures<T>>;
  stop(): Promise<void>;
}

export interface FileLoadOptions {
  /** 1 MiB when absent. */
  readonly fileBytes?: number;
  /** After each operation; none when absent. */
  readonly pauseMs?: number;
}

const FILES = 24;
const LANES = 2;
const MAX_ERRORS = 5;
const SLOWEST = 5;

/** Two lanes, each in turn writing a file and reading another. */
export function startFileLoad(
  client: Client,
  { fileBytes = MIB, pauseMs = 0 }: FileLoadOptions = {},
): FileLoad {
  const stopping = new AbortController();
  let done: Operation[] = [];
  let sinceMs = performance.now();
  let errors: string[] = [];
  let failed = 0;
  const timed = async (kind: Operation['kind'], operation: () => Promise<void>): Promise<void> => {
    const beganMs = performance.now();
    try {
      await operation();
    } catch (error) {
      failed += 1;
      if (errors.length < MAX_ERRORS) errors.push(String(error));
    }
    const tookMs = round(performance.now() - beganMs);
    done.push({ kind, beganMs: round(beganMs - sinceMs), tookMs });
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
  const lane = async (own: number): Promise<void> => {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      const bytes = new Uint8Array(fileBytes).fill(turn * LANES + own);
      new DataView(bytes.buffer).setFloat64(0, performance.now());
      const path = (number: number): string => `/load-${own}-${number % FILES}`;
      await timed('put', async () => void (await client.put(path(turn), bytes)));
      await timed('get', () => readAll(client, path(Math.max(0, turn - (turn % 5)))));
    }
  };
  const lanes = Promise.all(Array.from({ length: LANES }, (_, own) => lane(own)));
  return {
    async during(work) {
      [done, errors, failed] = [[], [], 0];
      sinceMs = performance.now();
      const result = await work();
      const seconds = (performance.now() - sinceMs) / 1000;
      const times = done.map(({ tookMs }) => tookMs);
      return {
        result,
        operations: done.length,
        failed,
        perSecond: round(done.length / seconds, 1),
        medianMs: round(percentile(times, 0.5)),
        slowestMs: round(percentile(times, 1)),
        slowest: done.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST),
        errors,
      };
    },
    async stop() {
      stopping.abort();
      await lanes;
    },
  };
}

async function readAll(client: Client, path: string): Promise<void> {
  for await (const _ of (await client.get(path)).bytes);
}
