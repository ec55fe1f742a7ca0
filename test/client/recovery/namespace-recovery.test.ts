/** @module From one cluster's datanodes into another cluster: what was put comes back, again and again the same. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { toHex } from '../../../src/common/bytes.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { systemRandom } from '../../../src/common/random.ts';
import type { Client } from '../../../src/client/client.ts';
import type { RestoreTally } from '../../../src/client/recovery/namespace-recovery.ts';
import { BACKUP_DIRECTORY } from '../../../src/namespace/backup-rows.ts';
import { DEFAULT_BACKUP_PERIOD_MS, DEFAULT_BACKUPS_KEPT } from '../../../src/namespace/limits.ts';
import { NamespaceBackup } from '../../../src/node/namespace-backup.ts';
import { temporaryDirectory } from '../../storage/temporary-directory.ts';
import { contents, gather, hashOf } from '../bytes.ts';
import { FileCluster, type RunningDataNode } from '../file-cluster.ts';

const BLOCK = 65_536;

let lost: FileCluster;
let client: Client;
let found: FileCluster | undefined;
beforeEach(async () => {
  lost = await FileCluster.start(1, 2);
  client = await lost.client();
});
afterEach(async () => {
  await found?.stop();
  found = undefined;
  await lost.stop();
});

const put = (path: string, sizeBytes: number, seed = path, replication = 1): Promise<unknown> =>
  client.put(path, contents(sizeBytes, seed), { blockSizeBytes: BLOCK, parents: true, replication });

/** A cluster in which a recovery is open, with these datanodes of the lost one. */
async function successor(datanodes: readonly RunningDataNode[] = lost.datanodes): Promise<Client> {
  found = await FileCluster.start(1, 0);
  for (const { blocks } of datanodes) await found.addDataNode(blocks);
  await found.untilRegistered(datanodes.length);
  const into = await found.client();
  await into.collection.setRecovering(true);
  return into;
}

async function recover(into: Client, ignoreBackups = false, evenIncomplete = false): Promise<RestoreTally> {
  const signal = AbortSignal.timeout(20_000);
  const directory = await temporaryDirectory();
  await using recovery = await into.prepareRecovery({ directory, ignoreBackups, signal });
  return await recovery.carryOut({ evenIncomplete });
}

async function expectFile(from: Client, path: string, sizeBytes: number, seed = path): Promise<void> {
  const bytes = await gather((await from.get(path)).bytes);
  expect([path, hashOf(bytes)]).toEqual([path, hashOf(contents(sizeBytes, seed))]);
}

async function backupsOf(from: Client): Promise<string[]> {
  return (await from.backups.list()).map(({ path }) => path);
}

function backupWorker(clock: { nowMs: number; passMs?: number } = { nowMs: 0 }): NamespaceBackup {
  const [node] = [...lost.metadata.nodes.values()];
  if (node === undefined) throw new Error('the cluster has a metadata node');
  const { machine, network } = node;
  const wallMs = (): number => clock.nowMs || systemClock.wallMs();
  let passedMs = 0;
  const monotonicMs = (): number => (passedMs += clock.passMs ?? 0);
  return new NamespaceBackup(
    {
      machine,
      network,
      clock: { ...systemClock, wallMs, monotonicMs },
      random: systemRandom,
      logger: silentLogger,
      connect: () => lost.client(),
    },
    { isLeader: () => true },
  );
}

function work(worker: NamespaceBackup, isHurried = false): Promise<unknown> {
  if (isHurried) worker.hurry();
  return worker.work(AbortSignal.timeout(10_000));
}

it('is found by its blocks alone, with appends, and found again without a change', async () => {
  await put('/d/small', 10);
  await put('/large', 5 * BLOCK + 3);
  await client.append('/large', contents(2 * BLOCK, 'more'));
  await put('/replaced', 3 * BLOCK);
  await put('/replaced', 2 * BLOCK, 'new');
  const into = await successor();
  expect(await recover(into)).toMatchObject({ restored: 3, there: 0, kept: 0, failed: [] });
  await expectFile(into, '/d/small', 10);
  await expectFile(into, '/replaced', 2 * BLOCK, 'new');
  const large = await gather((await into.get('/large')).bytes);
  const whole = Buffer.concat([contents(5 * BLOCK + 3, '/large'), contents(2 * BLOCK, 'more')]);
  expect(hashOf(large)).toBe(hashOf(whole));
  expect(await recover(into)).toMatchObject({ restored: 0, there: 3, kept: 0, failed: [] });
});

it('leaves what was written since, and is refused once the recovery has ended', async () => {
  await put('/a', 10);
  await put('/b', 10);
  await put('/c', 10);
  const into = await successor();
  await into.put('/a', contents(20, 'newer'));
  await into.touch('/c');
  expect(await recover(into)).toMatchObject({ restored: 1, there: 1, kept: 1 });
  await expectFile(into, '/a', 20, 'newer');
  expect((await into.stat('/c')).sizeBytes).toBe(0);
  await into.unlink('/b');
  await into.collection.setRecovering(false);
  await expect(recover(into)).rejects.toMatchObject({ code: 'NAMESPACE_RECOVERY_NOT_OPEN' });
});

it('gets a newer version when another datanode has come', async () => {
  await put('/a', 10, 'old', 2);
  await put('/a', 20, 'new', 1);
  const hash = hashOf(contents(20, 'new'));
  const [late] = lost.holdersOf(hash);
  const into = await successor(lost.datanodes.filter((datanode) => datanode !== late));
  expect(await recover(into)).toMatchObject({ restored: 1 });
  await expectFile(into, '/a', 10, 'old');
  await found?.addDataNode(late?.blocks);
  await found?.untilRegistered(2);
  expect(await recover(into)).toMatchObject({ restored: 1, kept: 0 });
  await expectFile(into, '/a', 20, 'new');
});

it('is exact up to its last backup, and goes on by blocks', async () => {
  await put('/was', 3 * BLOCK);
  await client.rename('/was', '/is');
  await client.copy('/is', '/copy');
  await client.mkdir('/empty-directory');
  await client.symlink('/is', '/link');
  await client.setAttributes('/is', { owner: 'ada', mode: 0o600, mtimeMs: 1_000 });
  const before = await client.stat('/is');
  await using worker = backupWorker();
  await work(worker, true);
  await put('/after', 2 * BLOCK);
  const into = await successor();
  expect(await recover(into)).toMatchObject({ kept: 0, failed: [] });
  const { version, mtimeMs, ctimeMs, owner, mode, replication } = before;
  const exactly = { version, mtimeMs, ctimeMs, owner, mode, replication };
  expect(await into.stat('/is')).toMatchObject(exactly);
  for (const path of ['/is', '/copy']) await expectFile(into, path, 3 * BLOCK, '/was');
  await expectFile(into, '/after', 2 * BLOCK);
  expect(await into.stat('/empty-directory')).toMatchObject({ kind: 'directory' });
  expect(await into.stat('/link', { noFollow: true })).toMatchObject({ linkTarget: '/is' });
  await expect(into.stat('/was')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
});

it('is exact up to the backup before, when the last one is rotten and whoever runs it says so', async () => {
  await put('/was', 10);
  await client.rename('/was', '/is');
  await using worker = backupWorker();
  await work(worker, true);
  await work(worker, true);
  const newest = (await backupsOf(client)).at(-1) ?? '';
  const { blocks } = await client.locate(newest);
  for (const { hash } of blocks)
    for (const { blocks: store } of lost.datanodes) store.corrupt(toHex(hash), 20);
  const into = await successor();
  await expect(recover(into)).rejects.toMatchObject({ code: 'CLIENT_RECOVERY_INCOMPLETE' });
  await expect(into.stat('/is')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  expect(await recover(into, false, true)).toMatchObject({ failed: [] });
  await expectFile(into, '/is', 10, '/was');
});

it('says that there was a newer backup when all that is left of it are copies that were put aside as rotten', async () => {
  await put('/was', 10);
  await client.rename('/was', '/is');
  await using worker = backupWorker();
  await work(worker, true);
  await work(worker, true);
  const newest = (await backupsOf(client)).at(-1) ?? '';
  const { blocks } = await client.locate(newest);
  expect(blocks).toHaveLength(1);
  const rotten = { reason: 'corrupt', era: 0, index: 0, sinceMs: 1 } as const;
  for (const { hash } of blocks)
    for (const { blocks: store } of lost.datanodes) {
      store.corrupt(toHex(hash), 20);
      await store.quarantine(toHex(hash), rotten);
    }
  const into = await successor();
  await expect(recover(into)).rejects.toMatchObject({
    code: 'CLIENT_RECOVERY_INCOMPLETE',
    facts: { backups: [newest] },
  });
  expect(await recover(into, false, true)).toMatchObject({ failed: [] });
  await expectFile(into, '/is', 10, '/was');
});

it('waits for a datanode that does not answer, unless whoever runs it says otherwise', async () => {
  await put('/file', BLOCK);
  const into = await successor();
  const [silent] = found?.datanodes ?? [];
  if (silent === undefined) throw new Error('the successor has datanodes');
  await found?.killDataNode(silent);
  await expect(recover(into)).rejects.toMatchObject({
    code: 'CLIENT_RECOVERY_INCOMPLETE',
    facts: { silent: [expect.any(String)], backups: [] },
  });
  expect(await recover(into, false, true)).toMatchObject({ failed: [] });
});

it('is backed up once a period when it has changed, not while a recovery is open, and the newest are kept', async () => {
  const clock = { nowMs: systemClock.wallMs() };
  await using worker = backupWorker(clock);
  const later = async (): Promise<number> => {
    clock.nowMs += DEFAULT_BACKUP_PERIOD_MS + 1;
    await work(worker);
    return (await backupsOf(client)).length;
  };
  await put('/a', 10);
  await work(worker);
  expect(await backupsOf(client)).toEqual([]);
  expect(await later()).toBe(1);
  expect(await later()).toBe(1);
  await client.rename('/a', '/b');
  expect(await later()).toBe(2);
  await client.collection.setRecovering(true);
  await client.rename('/b', '/c');
  expect(await later()).toBe(2);
  await expect(work(worker, true)).rejects.toMatchObject({ code: 'NODE_BACKUP_DURING_RECOVERY' });
  await client.collection.setRecovering(false);
  for (let count = 0; count < DEFAULT_BACKUPS_KEPT; count += 1) {
    clock.nowMs += 1;
    await work(worker, true);
  }
  const kept = await backupsOf(client);
  expect(kept).toHaveLength(DEFAULT_BACKUPS_KEPT);
  expect(kept[0]?.startsWith(`${BACKUP_DIRECTORY}/`)).toBe(true);
});

it('is backed up less often where a backup takes long', async () => {
  const clock = { nowMs: systemClock.wallMs(), passMs: DEFAULT_BACKUP_PERIOD_MS };
  await using worker = backupWorker(clock);
  const after = async (periods: number): Promise<number> => {
    await client.touch(`/after-${periods}`);
    clock.nowMs += periods * DEFAULT_BACKUP_PERIOD_MS + 1;
    await work(worker);
    return (await backupsOf(client)).length;
  };
  expect(await after(1)).toBe(1);
  expect(await after(2)).toBe(1);
  // Each look at the clock says that a period has passed: the backup took at least one.
  expect(await after(50)).toBe(2);
});
