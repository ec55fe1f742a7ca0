/** @module Chaos as its user has it: a few seconds of it, with everything that belongs to it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { commandWords } from '../../cli/demo/node-process.ts';

const TIMEOUT_MS = 170_000;

describe('holdfast chaos', () => {
  it(
    'runs a cluster under faults, judges what clients saw, leaves a page and nothing else',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'holdfast-test-chaos-'));
      try {
        const report = join(directory, 'report.html');
        const [program, ...first] = commandWords();
        const words = ['chaos', '--minutes', '0.05', '--seed', '7', '--json', '--report', report];
        const run = promisify(execFile)(program, [...first, ...words], {
          env: { ...process.env, TMPDIR: directory },
          timeout: TIMEOUT_MS,
        });
        const result = JSON.parse((await run).stdout) as Record<string, unknown>;
        expect(result).toMatchObject({
          ok: true,
          seed: 7,
          violations: [],
          registers: { verdict: 'linearizable' },
          names: { verdict: 'linearizable' },
          files: { violations: 0 },
        });
        expect(result['faults']).not.toEqual({});
        expect(await readFile(report, 'utf8')).toContain('All promises held');
        expect((await readdir(directory)).filter((name) => name.startsWith('holdfast-'))).toEqual([]);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
