/** @module What the doctor makes of what it sees. */
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { clusterChecks, unreachableCluster } from '../../../cli/doctor/cluster-check.ts';
import { judgeSpace, judgeSync, syncCheck } from '../../../cli/doctor/disk-check.ts';
import { judgeFileLimit, memoryCheck } from '../../../cli/doctor/machine-check.ts';
import { nodeChecks } from '../../../cli/doctor/node-check.ts';
import { Member } from '../../../src/namespace/schema.ts';
import { noProfile } from '../../../src/client/errors.ts';
import { StatusResponse } from '../../../src/protocol/messages.ts';
import { temporaryDirectory } from '../../storage/temporary-directory.ts';

const GIB = 1024 ** 3;

it.each([
  [50, 'ok'],
  [10, 'warn'],
  [2, 'fail'],
])('a disk with %i%% free is %s', (free, health) => {
  expect(judgeSpace('/d', free * GIB, 100 * GIB).health).toBe(health);
});

it('a small disk without the room that a datanode leaves free fails, however large that share is', () => {
  expect(judgeSpace('/d', GIB / 4, GIB)).toMatchObject({ health: 'fail', name: 'disk-space' });
});

it.each([
  [5, 'ok'],
  [150, 'warn'],
  [1_500, 'fail'],
])('a disk that takes %i ms for a durable write is %s', (slowestMs, health) => {
  expect(judgeSync(slowestMs).health).toBe(health);
});

it('the probe of the disk leaves nothing behind', async () => {
  const directory = await temporaryDirectory();
  expect((await syncCheck(directory)).name).toBe('disk-sync');
  expect(await readdir(directory)).toEqual([]);
});

it('a directory that cannot be written to fails, and says why', async () => {
  const missing = `${await temporaryDirectory()}/missing`;
  const { health, finding } = await syncCheck(missing);
  expect(health).toBe('fail');
  expect(finding).toContain('ENOENT');
});

it.each([
  ['256', 'fail'],
  ['1024', 'warn'],
  ['1048576', 'ok'],
  ['unlimited', 'ok'],
])('a limit of %s open files is %s', (limit, health) => {
  const limits = `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${limit}              4096                 files\n`;
  expect(judgeFileLimit(limits).health).toBe(health);
});

it('a machine too small for a node is warned of', () => {
  expect(memoryCheck(2 ** 20, 2 ** 29).health).toBe('warn');
  expect(memoryCheck(2 ** 30, 2 ** 33).health).toBe('ok');
});

it('a cluster that does not answer fails; one that nobody here is a client of is not called down', () => {
  expect(unreachableCluster(new Error('timed out'))).toMatchObject({ name: 'cluster', health: 'fail' });
  expect(unreachableCluster(noProfile('/p')).health).toBe('warn');
});

it('another release, and a clock that is behind, are warned of by name', () => {
  const position = { node: 2, version: '9.9.9' };
  const status = StatusResponse.fromPartial({ metadataNodes: [{ position }], counters: { timeMs: 60_000 } });
  const byName = new Map(
    clusterChecks(status, { version: '1.0.0', nowMs: 1_000 }).map((found) => [found.name, found]),
  );
  expect(byName.get('versions')).toMatchObject({ health: 'warn' });
  expect(byName.get('versions')?.finding).toContain('2 runs 9.9.9');
  expect(byName.get('clock')).toMatchObject({ health: 'warn' });
  const well = clusterChecks(status, { version: '9.9.9', nowMs: 60_000 });
  expect(
    well.filter(({ name }) => name === 'versions' || name === 'clock').map(({ health }) => health),
  ).toEqual(['ok', 'ok']);
});

const nobody = { own: undefined, lonely: new Set<number>() };

const visited = (number: number, clockAheadMs: number | undefined, isBehindRelays = false) => ({
  member: Member.fromPartial({ number, name: `n${number}` }),
  isBehindRelays,
  roundTripMs: 4,
  ...(clockAheadMs !== undefined && { clockAheadMs }),
});

it('names the node whose clock is wrong, and this machine when all others differ alike', () => {
  const clocks = (...ahead: number[]) =>
    nodeChecks(
      ahead.map((ms, at) => visited(at + 1, ms)),
      nobody,
    ).find(({ name }) => name === 'clocks');
  expect(clocks(5, -3)?.health).toBe('ok');
  expect(clocks(5, -60_000)).toMatchObject({ health: 'warn' });
  expect(clocks(5, -60_000)?.finding).toContain('node 2 (n2) is 60.0 s behind');
  expect(clocks(60_000, 61_000)?.advice).toContain('this machine');
});

it('names nodes that are not reached, and those that nobody can dial', () => {
  const failure = { code: 'NETWORK_TIMEOUT', message: 'timed out' };
  const checks = nodeChecks([visited(1, 0), { ...visited(2, undefined, true), failure }], {
    ...nobody,
    own: 2,
  });
  const byName = new Map(checks.map((found) => [found.name, found]));
  expect(byName.get('reachability')).toMatchObject({ health: 'warn' });
  expect(byName.get('reachability')?.finding).toContain('node 2 (n2), timed out');
  expect(byName.get('ports')?.finding).toContain('the node of this machine');
  expect(nodeChecks([visited(1, 0)], { ...nobody, own: 1 }).map(({ health }) => health)).toEqual([
    'ok',
    'ok',
    'ok',
  ]);
});

it('says that every node can be dialled only when that is known of every node', () => {
  const failure = { code: 'NETWORK_TIMEOUT', message: 'timed out' };
  const ports = (visits: Parameters<typeof nodeChecks>[0], lonely: readonly number[] = []) =>
    nodeChecks(visits, { ...nobody, lonely: new Set(lonely) }).find(({ name }) => name === 'ports');
  expect(ports([visited(1, 0), visited(2, 0)])?.health).toBe('ok');
  expect(ports([visited(1, 0), visited(2, 0, true)])).toMatchObject({
    health: 'warn',
    finding: 'not dialable by every metadata node: node 2 (n2)',
  });
  expect(ports([visited(1, 0), visited(2, 0)], [2])).toMatchObject({ health: 'warn' });
  expect(ports([visited(1, 0), { ...visited(2, undefined), failure }])).toMatchObject({
    health: 'warn',
    finding: expect.stringContaining('not known of node 2 (n2)') as string,
  });
});
