/** @module `cluster recover` and the person who must agree to it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import { startNode } from '../../src/node/holdfast-node.ts';
import { run, type Run } from './fake-terminal.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };

describe('cluster recover', () => {
  let root: string;
  let directory: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-consent-'));
    directory = join(root, 'one');
    const node = { directory, name: 'one', host: 'one', listen: ['/ip4/127.0.0.1/tcp/0'], announce: [] };
    await initCluster(
      COMPONENTS,
      { name: 'test', replication: 1, blockSizeBytes: 65_536 },
      { ...node, profileDir: join(root, 'client'), roles: ['meta'] },
    );
    await (await startNode(COMPONENTS, directory, { onFatal: () => {} })).stop();
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const recover = (stdin: string): Promise<Run> =>
    run(['cluster', 'recover', '--force', '--dir', directory], { stdin, isInteractive: true });
  const epoch = async (): Promise<number> =>
    (JSON.parse(await readFile(join(directory, 'node.json'), 'utf8')) as { epoch: number }).epoch;

  it.each([
    ['another word', 'yes\n'],
    ['an empty line', '\n'],
    ['the end of the input', ''],
  ])('changes nothing on %s', async (_what, typed) => {
    const { status, stdout, stderr } = await recover(typed);
    expect(status).toBe(2);
    expect(stdout).toContain('Lost: every change acknowledged after that entry');
    expect(stderr).toContain('This cannot be undone.');
    expect(stderr).toContain('Nothing was changed.');
    expect(await epoch()).toBe(1);
  });

  it('is carried out once the word is typed', async () => {
    const { status, stdout } = await recover('recover\n');
    expect(status).toBe(0);
    expect(stdout).toContain('Node 1 is the only metadata node of epoch 2.');
    expect(await epoch()).toBe(2);
  });
});
