import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localFailure } from '../../cli/errors.ts';
import { checkReadable } from '../../cli/local-file-check.ts';

/** More than can be read at once; a hole takes no room on the disk. */
const HUGE_BYTES = 3 * 1024 ** 3;

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-file-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('a file that a long run will read', () => {
  it('is looked at, and not read', async () => {
    const path = join(directory, 'huge');
    {
      await using file = await open(path, 'w');
      await file.truncate(HUGE_BYTES);
    }
    await expect(checkReadable(path)).resolves.toBeUndefined();
  });

  it('is refused where there is none', async () => {
    await expect(checkReadable(join(directory, 'none'))).rejects.toMatchObject({
      code: 'CLI_LOCAL_NOT_FOUND',
    });
  });

  it('is no directory', async () => {
    const found = { code: 'CLI_LOCAL_FAILED', facts: { reason: 'EISDIR' } };
    await expect(checkReadable(directory)).rejects.toMatchObject(found);
  });
});

describe('a file that could not be written for want of something', () => {
  const missing = Object.assign(new Error('missing'), { code: 'ENOENT' });

  it('names the directory that is not there', () => {
    const { message } = localFailure('write', join(directory, 'none', 'f'), missing);
    expect(message).toContain(`there is no directory ${join(directory, 'none')}; make it first`);
  });

  it('does not call for a directory that is there and takes no files, as /proc', () => {
    const { message } = localFailure('write', join(directory, 'f'), missing);
    expect(message).toContain(`there is a directory ${directory}, but no file can be made in it`);
  });
});
