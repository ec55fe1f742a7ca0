/** @module A namespace whose file is damaged, while the log is whole: it is made anew from the log. */
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';

/** Of a condition on a busy machine, in milliseconds. */
const PATIENCE = { timeout: 10_000 };

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const PAGE_BYTES = 4_096;
const FILES = 60;

describe('a metadata node whose namespace.db is damaged', () => {
  let root: string;
  let directory: string;
  let profileDir: string;
  const fatal: Error[] = [];

  beforeEach(async () => {
    fatal.length = 0;
    root = await mkdtemp(join(tmpdir(), 'holdfast-damaged-'));
    directory = join(root, 'one');
    profileDir = join(root, 'client');
    const cluster = { name: 'test', replication: 1, blockSizeBytes: 65_536 };
    const listen = ['/ip4/127.0.0.1/tcp/0'];
    await initCluster(COMPONENTS, cluster, {
      directory,
      profileDir,
      name: 'one',
      host: 'one',
      roles: ['meta'],
      listen,
      announce: [],
    });
    const node = await start();
    await using client = await connect({ profileDir });
    for (let at = 0; at < FILES; at += 1) await client.touch(`/file-${at}`);
    await node.stop();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const start = (): Promise<RunningNode> =>
    startNode(COMPONENTS, directory, { onFatal: (error) => fatal.push(error) });
  const keptAside = async (): Promise<string[]> =>
    (await readdir(directory)).filter((name) => name.startsWith('damaged-namespace'));

  /** Overwrites pages [first, end) with nonsense. */
  async function overwrite(first: number, end = Infinity): Promise<void> {
    const path = join(directory, 'namespace.db');
    const until = Math.min((await stat(path)).size, end * PAGE_BYTES);
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(until - first * PAGE_BYTES, 0xa5), 0, undefined, first * PAGE_BYTES);
    await file.close();
  }

  async function expectEverything(): Promise<void> {
    await using client = await connect({ profileDir });
    const names: string[] = [];
    for await (const { name } of client.list('/')) names.push(name);
    expect(names).toHaveLength(FILES);
  }

  it.each([
    ['its header', 0, 1],
    ['all but its header', 1, Infinity],
  ])('in %s has it made anew from the log, and keeps the damaged file', async (_where, first, end) => {
    await overwrite(first, end);
    const node = await start();
    expect(node.config.number).toBe(1);
    await expectEverything();
    await node.stop();
    expect(await readdir(join(directory, 'damaged-namespace'))).toContain('namespace.db');
    expect(fatal).toEqual([]);
  });

  it('counts as one without its log where the log does not reach back to the beginning, and keeps the damaged file', async () => {
    const log = await openRaftLog(join(directory, 'raft.db'), { logger: silentLogger });
    const index = log.lastIndex() - 1;
    const { confState } = log.initialState();
    await log.compact(
      { metadata: { index, term: log.term(index), confState }, data: new Uint8Array() },
      index,
    );
    await log.close();
    await overwrite(1);
    await expect(start()).rejects.toMatchObject({
      code: 'NODE_REJOIN_ALONE',
      facts: { lost: 'METADATA_LOG_INCONSISTENT' },
    });
    expect(await readdir(join(directory, 'damaged-namespace'))).toContain('namespace.db');
  });

  it('while it runs stops with a clear error, and is whole after the next start', async () => {
    const node = await start();
    await overwrite(1);
    const client = await connect({ profileDir });
    // It would ask for ten seconds, since others could answer; there are none.
    const asking = client.stat('/file-7').catch(() => {});
    await vi.waitFor(() => expect(fatal).toMatchObject([{ code: 'STORAGE_CORRUPT_ROWS' }]), PATIENCE);
    await client.close();
    await asking;
    await node.stop().catch(() => {});
    expect(await keptAside()).toHaveLength(1);
    const again = await start();
    await expectEverything();
    await again.stop();
  });
});
