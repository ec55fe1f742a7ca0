/** @module `holdfast --help` must not load the network: what the program imports at once stays small. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const LIGHT = new Set(['commander', 'cli-progress']);

it('imports no package but the command line’s own before a command runs', () => {
  const packages = new Set<string>();
  visit(new URL('../../cli/main.ts', import.meta.url), packages, new Set());
  const heavy = [...packages].filter((name) => !name.startsWith('node:') && !LIGHT.has(name));
  expect(heavy).toEqual([]);
});

/** Follows static imports of values; types are erased, and `import()` is what makes a thing lazy. */
function visit(file: URL, packages: Set<string>, seen: Set<string>): void {
  if (seen.has(file.href)) return;
  seen.add(file.href);
  const source = readFileSync(fileURLToPath(file), 'utf8');
  for (const [, isType, target = ''] of source.matchAll(
    /^(?:import|export) (type )?[^;]*?from '([^']+)';/gm,
  )) {
    if (isType !== undefined) continue;
    if (target.startsWith('.')) visit(new URL(target, file), packages, seen);
    else packages.add(target);
  }
}
