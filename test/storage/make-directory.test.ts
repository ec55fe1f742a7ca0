import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory } from '../../src/storage/make-directory.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PRIVATE = 0o700;

it('makes what lacks above it too, all with the permissions asked for', async () => {
  const directory = await temporaryDirectory();
  await makeDirectory(join(directory, 'a/b/c'), PRIVATE);
  for (const path of ['a', 'a/b', 'a/b/c'])
    expect((await stat(join(directory, path))).mode & 0o777).toBe(PRIVATE);
});

it('leaves a directory as it is', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'a');
  await makeDirectory(path, PRIVATE);
  await makeDirectory(path);
  expect((await stat(path)).mode & 0o777).toBe(PRIVATE);
});

it('says what is in the way', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'a');
  await writeFile(path, '');
  await expect(makeDirectory(path)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeDirectory(join(path, 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it.runIf(process.platform === 'linux')('gives up where a file system makes no directories', async () => {
  await expect(makeDirectory('/proc/holdfast/data')).rejects.toMatchObject({ code: 'ENOENT' });
});
