/** @module The program in README.md, as somebody copies it: it runs on a real cluster and ends by itself. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';

const README = new URL('../../README.md', import.meta.url);
const SDK = new URL('../../src/index.ts', import.meta.url);
/** Far above what it takes on a busy machine. */
const TIMEOUT_MS = 90_000;

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 1, replication: 1 });
});
afterAll(async () => {
  await cluster?.stop();
});

it('puts, appends and gets', async () => {
  const [, program = ''] = /^```ts\n([\s\S]*?)^```/m.exec(await readFile(README, 'utf8')) ?? [];
  expect(program).toContain("from 'holdfast'");
  const file = join(cluster.directory, 'program.ts');
  await writeFile(file, program.replace("'holdfast'", `'${SDK.href}'`));
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    env: { ...process.env, HOLDFAST_PROFILE: cluster.profileDir },
    timeout: TIMEOUT_MS,
  });
  expect(stdout).toBe('hello again');
});
