/** @module What cli/bin.js runs: the bundle while it is as new as the sources, else the sources. */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PACKAGE } from '../../cli/package-root.ts';

const FOLDERS = ['cli', 'dht', 'raft', 'src'];
const OLD = new Date('2020-01-01T00:00:00Z');
const NEW = new Date('2020-01-02T00:00:00Z');

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'holdfast-bundle-'));
  for (const folder of [...FOLDERS, 'src/inner', 'dist/bundle'])
    await mkdir(join(clone, folder), { recursive: true });
  await copyFile(join(PACKAGE.root, 'cli', 'bin.js'), join(clone, 'cli', 'bin.js'));
  await writeFile(join(clone, 'package.json'), '{"name":"holdfast","type":"module"}');
  await writeFile(join(clone, 'package-lock.json'), '{}');
  await writeFile(join(clone, 'cli', 'main.ts'), 'console.log("sources" as string);');
  await writeFile(join(clone, 'src', 'inner', 'a.ts'), '');
  await writeFile(join(clone, 'dist', 'bundle', 'main.js'), 'console.log("bundle");');
  const files = ['cli/bin.js', 'cli/main.ts', 'src/inner/a.ts', 'package-lock.json'];
  const everything = [...files, 'src/inner', ...FOLDERS];
  for (const path of everything) await utimes(join(clone, path), OLD, OLD);
  await utimes(join(clone, 'dist', 'bundle', 'main.js'), NEW, NEW);
});
afterEach(() => rm(clone, { recursive: true, force: true }));

it('runs the bundle while nothing it was made from is newer', async () => {
  expect(await started()).toBe('bundle');
});

it.each(['src/inner/a.ts', 'package-lock.json'])('runs the sources once %s has changed', async (path) => {
  await utimes(join(clone, path), NEW, NEW);
  expect(await started()).toBe('sources');
});

it('runs the sources once a file was taken away', async () => {
  await rm(join(clone, 'src', 'inner', 'a.ts'));
  expect(await started()).toBe('sources');
});

it('runs the sources where there is no bundle, and the bundle where there are no sources', async () => {
  await cp(join(clone, 'dist'), join(clone, 'aside'), { recursive: true });
  await rm(join(clone, 'dist'), { recursive: true });
  expect(await started()).toBe('sources');
  await cp(join(clone, 'aside'), join(clone, 'dist'), { recursive: true });
  await rm(join(clone, 'cli', 'main.ts'));
  expect(await started()).toBe('bundle');
});

async function started(): Promise<string> {
  const run = promisify(execFile);
  return (await run(process.execPath, [join(clone, 'cli', 'bin.js')])).stdout.trim();
}
