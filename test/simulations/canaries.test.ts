import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const CANARIES = fileURLToPath(new URL('../../simulations/canaries.ts', import.meta.url));

/** Few, and soon found: all of them are a command. */
const QUICK = ['vote-forgotten-at-restart', 'acknowledged-before-fsync', 'quorum-of-unsorted-indices'];

describe('the simulations', () => {
  it('find bugs that other systems shipped, put back one at a time, within ten seeds', () => {
    const names = QUICK.flatMap((name) => ['--mutant', name]);
    const { stdout, stderr } = spawnSync(process.execPath, [CANARIES, '--seeds', '10', ...names], {
      encoding: 'utf8',
    });
    expect(stdout, stderr).toContain('3 of 3 caught');
  });
});
