/** @module The picture of the files in raft/README.md is true: every file is in it, and arrows point down or right. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../raft/', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');

/** File names in the order of the picture, from the top left to the bottom right. */
function drawnFiles(): string[] {
  const [, picture = ''] = /## The files[^`]*(?:`[^`\n]*`[^`]*)*?```\n([\s\S]*?)```/.exec(readme) ?? [];
  return picture
    .split('\n')
    .map((row) => row.split(/ {2,}/)[0] ?? '')
    .flatMap((row) => row.split(' · '))
    .filter((name) => name !== '');
}

it('raft/README.md draws every file of raft/', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  expect(drawnFiles().toSorted()).toEqual(files.map((name) => name.replace(/\.ts$/, '')).toSorted());
});

it('every file of raft/ imports only what the picture shows below or right of it', () => {
  const drawn = drawnFiles();
  for (const [place, name] of drawn.entries()) {
    const source = readFileSync(new URL(`${name}.ts`, folder), 'utf8');
    const imports = [...source.matchAll(/from '\.\/([\w-]+)\.ts'/g)].map(([, target = '']) => target);
    const wrong = imports.filter((target) => drawn.indexOf(target) <= place);
    expect(wrong, `imports of ${name}.ts`).toEqual([]);
  }
});
