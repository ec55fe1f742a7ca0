/** @module Mutants: all apply to the code as it is, a few are tried; `npm run mutants` tries all. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from '../../simulations/mutants/all-mutants.ts';
import { PatchDoesNotApply, patchSource, sourceUrl } from '../../simulations/mutants/source-patch.ts';
import { SHIPPED_BUGS } from '../../simulations/shipped-bugs.ts';

const MAIN = fileURLToPath(new URL('../../simulations/mutants/main.ts', import.meta.url));
const FOLDER = new URL('../../simulations/', import.meta.url);
/** Few, of every kind, and soon found. */
const QUICK = ['vote-for-shorter-logs', 'failed-fsync-forgotten', 'quorum-of-unsorted-indexes'];
const BUGS = new Set(SHIPPED_BUGS.map(({ id }) => id));

describe('the mutants', () => {
  it.each(MUTANTS)('$name applies to $file, once', (mutant) => {
    expect(() => patchSource(readFileSync(sourceUrl(mutant), 'utf8'), mutant)).not.toThrow();
    expect(existsSync(new URL(`scenarios/${mutant.scenario}.ts`, FOLDER)), mutant.scenario).toBe(true);
    expect(BUGS).toContain(mutant.bug);
  });

  it('are refused where their place is gone, or is there twice', () => {
    const mutant = { ...MUTANTS[0], find: 'a', replace: 'b' } as (typeof MUTANTS)[number];
    for (const source of ['x', 'a a']) expect(() => patchSource(source, mutant)).toThrow(PatchDoesNotApply);
    expect(patchSource('x a', mutant)).toBe('x b');
  });

  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it('are caught by their scenarios, and found by few seeds', () => {
    const names = QUICK.flatMap((name) => ['--only', name]);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [MAIN, '--seeds', '5', '--json', ...names],
      {
        encoding: 'utf8',
      },
    );
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mutants: 3, caught: 3, found: 2 });
  });

  it('that do not exist are a mistake of whoever asks', () => {
    const { stderr, status } = spawnSync(process.execPath, [MAIN, '--only', 'nothing'], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain("There is no mutant 'nothing'");
  });

  it('are all in the table of simulations/README.md, with the bugs and the scenarios', () => {
    const readme = readFileSync(new URL('README.md', FOLDER), 'utf8');
    for (const { id } of SHIPPED_BUGS) expect(readme).toContain(`| ${id} |`);
    for (const { name, scenario } of MUTANTS) {
      expect(readme).toContain(`\`${name}\``);
      expect(readme).toContain(`\`${scenario}\``);
    }
  });
});
