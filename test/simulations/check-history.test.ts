import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../simulations/check-history.ts', import.meta.url));
const HISTORY = fileURLToPath(new URL('checks/histories/kv/c10-ok.txt', import.meta.url));
/** Programs of a busy machine start slowly. */
const PATIENCE_MS = 60_000;

const run = (...words: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8' });

describe('check:history --seconds', { timeout: PATIENCE_MS }, () => {
  it('ends without a verdict when they are over', () => {
    const { status, stdout, stderr } = run('--seconds', '0.000001', HISTORY);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('CHECK_UNDECIDED');
  });

  it.each(['0', '-1', 'soon'])('refuses %s', (seconds) => {
    const { status, stderr } = run(`--seconds=${seconds}`, HISTORY);
    expect(status).toBe(2);
    expect(stderr).toContain(`not '${seconds}'`);
  });
});
