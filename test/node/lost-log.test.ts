/** @module The only metadata node of a cluster, its log cut or copied: it does not start by itself, and starts after a recovery. */
import { cp, mkdtemp, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { readConfig } from '../../src/node/data-directory.ts';
import { type RunningNode, startNode } from '../../src/node/holdfast-node.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import { Recovery } from '../../src/node/recover-cluster.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';

const COMPONENTS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const CUT_BYTES = 100;
/** Nobody's peer id. */
const STRANGER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

describe('the only metadata node', () => {
  let root: string;
  let directory: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-lost-log-'));
    directory = join(root, 'one');
    await initCluster(
      COMPONENTS,
      { name: 'test', replication: 1, blockSizeBytes: 65_536 },
      {
        directory,
        profileDir: join(root, 'client'),
        name: 'one',
        host: 'one',
        roles: ['meta'],
        listen: ['/ip4/127.0.0.1/tcp/0'],
        announce: [],
      },
    );
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const recover = async (): Promise<void> => {
    await using recovery = await Recovery.prepare(COMPONENTS, directory, { force: true });
    await recovery.carryOut(systemClock.wallMs());
  };

  it('refuses a log that has lost its end, before and after somebody only looked, until the loss is accepted', async () => {
    await (await start(directory)).stop();
    await cutLog(join(directory, 'raft.db'));
    await expect(start(directory)).rejects.toMatchObject({
      code: 'NODE_REJOIN_ALONE',
      facts: { lost: 'STORAGE_LOG_BEHIND' },
    });
    await using look = await Recovery.prepare(COMPONENTS, directory, { force: true });
    await look[Symbol.asyncDispose]();
    await expect(start(directory)).rejects.toMatchObject({ code: 'NODE_REJOIN_ALONE' });
    await recover();
    await (await start(directory)).stop();
  });

  it('refuses a log without its marker, before and after somebody only looked', async () => {
    await (await start(directory)).stop();
    await rm(join(directory, 'raft.db.mark'));
    for (const lost of ['STORAGE_LOST_MARKER', 'STORAGE_LOG_BEHIND']) {
      await expect(start(directory)).rejects.toMatchObject({ code: 'NODE_REJOIN_ALONE', facts: { lost } });
      await using look = await Recovery.prepare(COMPONENTS, directory, { force: true });
      expect(look.plan.own.node).toBe(1);
    }
  });

  it('that has lost its log, and whose others do not answer, is refused a start and changes nothing', async () => {
    await (await start(directory)).stop();
    const others = [
      { number: 1, peer: (await readConfig(directory)).peer, addresses: [] },
      { number: 2, peer: STRANGER, addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${STRANGER}`] },
    ];
    await writeFile(join(directory, 'peers.json'), JSON.stringify(others));
    await rm(join(directory, 'raft.db'));
    const before = await readdir(directory);
    await expect(start(directory, hastyClock(20))).rejects.toMatchObject({
      code: 'NODE_REJOIN_FAILED',
      kind: 'unavailable',
      facts: { number: 1, lost: 'STORAGE_LOST_LOG' },
      message: expect.stringContaining('Nothing was changed here'),
    });
    expect(await readdir(directory)).toEqual(before);
  });

  it('refuses a copy of its directory until it is accepted, and is itself again then', async () => {
    await (await start(directory)).stop();
    await cp(directory, join(root, 'copy'), { recursive: true });
    await rm(directory, { recursive: true });
    await rename(join(root, 'copy'), directory);
    await expect(start(directory)).rejects.toMatchObject({ code: 'METADATA_COPY_ALONE' });
    await recover();
    for (let round = 1; round <= 2; round += 1) await (await start(directory)).stop();
  });
});

/** A write that was acknowledged is cut from the WAL of a log whose process was killed. */
async function cutLog(path: string): Promise<void> {
  const log = await openRaftLog(path, { logger: silentLogger });
  const { hardState } = log.initialState();
  await log.append({
    hardState: { ...hardState, term: hardState.term + 1, vote: 1 },
    entries: [],
    mustSync: true,
  });
  for (const suffix of ['', '-wal']) await cp(`${path}${suffix}`, `${path}${suffix}.kept`);
  await log.close();
  for (const suffix of ['', '-wal']) await rename(`${path}${suffix}.kept`, `${path}${suffix}`);
  const { size } = await stat(`${path}-wal`);
  await truncate(`${path}-wal`, size - CUT_BYTES);
}

/** The system's clock, `factor` times as fast. */
function hastyClock(factor: number): Clock {
  return {
    wallMs: systemClock.wallMs,
    monotonicMs: () => systemClock.monotonicMs() * factor,
    after: (delayMs, callback) => systemClock.after(delayMs / factor, callback),
    every: (periodMs, callback) => systemClock.every(periodMs / factor, callback),
  };
}

function start(directory: string, clock: Clock = systemClock): Promise<RunningNode> {
  return startNode({ ...COMPONENTS, clock }, directory, {
    onFatal: (error) => {
      throw error;
    },
  });
}
