/** @module One process per data directory. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryLock } from '../../src/node/directory-lock.ts';

describe('the lock of a data directory', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('refuses a second holder and names the pid of the first', async () => {
    const lock = await DirectoryLock.acquire(directory);
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject({
      code: 'NODE_ALREADY_RUNNING',
      facts: { directory, pid: process.pid },
    });
    await lock.release();
  });

  it('lets the next one in after release', async () => {
    await (await DirectoryLock.acquire(directory)).release();
    await (await DirectoryLock.acquire(directory)).release();
  });

  it('refuses while another process has it, and is free the moment that one is killed with -9', async () => {
    const holder = await holdInProcess(directory);
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject({
      code: 'NODE_ALREADY_RUNNING',
      facts: { pid: holder.pid },
    });
    await holder.kill();
    const lock = await DirectoryLock.acquire(directory);
    await lock.release();
  });

  it('says NODE_DIRECTORY_NOT_WRITABLE where it cannot write', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(DirectoryLock.acquire(file)).rejects.toMatchObject({ code: 'NODE_DIRECTORY_NOT_WRITABLE' });
  });
});

async function holdInProcess(
  directory: string,
): Promise<{ pid: number | undefined; kill: () => Promise<void> }> {
  const lock = new URL('../../src/node/directory-lock.ts', import.meta.url).href;
  const code = `const { DirectoryLock } = await import(${JSON.stringify(lock)});
    await DirectoryLock.acquire(${JSON.stringify(directory)});
    console.log('held');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for await (const line of createInterface({ input: child.stdout })) if (line === 'held') break;
  return {
    pid: child.pid,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
