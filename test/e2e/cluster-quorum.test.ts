/** @module Metadata nodes gone: the majority, then all of them, and back again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandResult } from '../../cli/demo/command-run.ts';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';
import { lostFiles, WriteLoad } from './support/write-load.ts';

/** The promise of the README, and what a busy machine needs to start the command. */
const REFUSAL_MS = 10_000;
const COMMAND_START_MS = 4_000;
const FILE_BYTES = 700_000;
/** More than can be sent until the metadata nodes are killed. */
const ENDLESS_BYTES = 2 ** 40;
const SMALL_BYTES = 60_000;
const MANY = 150;

interface TimedResult extends CommandResult {
  readonly tookMs: number;
}

interface Outcome {
  /** Undefined when it was done. */
  readonly error: unknown;
  readonly tookMs: number;
}

describe('a cluster without its metadata nodes', () => {
  let cluster: LocalCluster;
  let client: Client;
  let load: WriteLoad;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 3 });
    client = await cluster.connect();
    await client.put('/report', knownBytes('report', FILE_BYTES));
    await client.mkdir('/load');
    load = new WriteLoad(client, { directory: '/load', writers: 3 });
    await eventually('writes', 20_000, () => (load.acknowledged.length > 20 ? true : undefined));
    await load.stop();
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
  });

  const metadataNodes = ['m1', 'm2', 'm3'];
  const kill = (names: readonly string[]) => Promise.all(names.map((name) => cluster.node(name).kill()));
  const start = (names: readonly string[]) => Promise.all(names.map((name) => cluster.startNode(name)));

  describe('when a majority of them is gone', () => {
    let survivor: string;
    // Typed all at once, since each takes its time to give up.
    let put: TimedResult;
    let list: TimedResult;
    let status: TimedResult;
    let puts: readonly Outcome[];
    let changes: readonly Outcome[];

    beforeAll(async () => {
      // Killing the leader is the harder case: the one that stays has never led.
      const { leader } = await client.status();
      const gone = metadataNodes.filter((name) => cluster.node(name).ready.number === leader);
      survivor = metadataNodes.find((name) => !gone.includes(name)) ?? '';
      const { underWay } = await putUnderWay(client, '/refused-under-way');
      await kill(metadataNodes.filter((name) => name !== survivor));
      const askedPuts = [
        underWay,
        client.put('/refused-small', knownBytes('small', SMALL_BYTES)),
        client.put('/refused-blocks', knownBytes('blocks', FILE_BYTES), { blockSizeBytes: 65_536 }),
        client.put('/refused-large', knownBytes('large', FILE_BYTES), { sizeBytes: FILE_BYTES }),
        // More than travel together at once: the last ones wait for theirs to be sent.
        ...Array.from({ length: MANY }, (_, count) =>
          client.put(`/refused-${count}`, knownBytes(`${count}`, SMALL_BYTES)),
        ),
      ].map(outcome);
      const askedChanges = [
        client.mkdir('/refused-directory'),
        client.rename('/report', '/refused-name'),
        client.removeTree('/load'),
        // More than a session may have under way: the last ones wait for their turn.
        ...Array.from({ length: MANY }, (_, count) => client.mkdir(`/refused-directory-${count}`)),
      ].map(outcome);
      [put, list, status] = await Promise.all([
        timed(cluster.run(['put', '--json', '-', '/refused'], 'hello')),
        timed(cluster.run(['ls', '--json', '/'])),
        timed(cluster.run(['cluster', 'status', '--json'])),
      ]);
      [puts, changes] = await Promise.all([Promise.all(askedPuts), Promise.all(askedChanges)]);
    });

    it('refuses a put within ten seconds, says in words why, and does nothing', () => {
      expect(put.tookMs).toBeLessThan(REFUSAL_MS + COMMAND_START_MS);
      expect(put.status).toBe(EXIT.unavailable);
      expect(errorOf(put)).toMatchObject({ code: 'METADATA_NO_QUORUM', kind: 'unavailable' });
      expect(errorOf(put).message).toMatch(/no majority of the metadata nodes.*Nothing was changed/);
    });

    it('refuses every put within ten seconds of the kill, also in programs, and those that were under way', () => {
      expect(puts).toHaveLength(4 + MANY);
      for (const { error, tookMs } of puts) {
        expect(error).toMatchObject({ code: 'METADATA_NO_QUORUM', kind: 'unavailable' });
        expect(tookMs).toBeLessThan(REFUSAL_MS);
      }
    });

    it('refuses every other change within ten seconds of the kill, or says that it may have reached the node that died', () => {
      expect(changes).toHaveLength(3 + MANY);
      for (const { error, tookMs } of changes) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(METADATA_NO_QUORUM|CLIENT_OUTCOME_UNKNOWN)$/),
        });
        expect(tookMs).toBeLessThan(REFUSAL_MS);
      }
    });

    it('refuses an ordinary read, which could be out of date, and tells of --stale', () => {
      expect(list.status).toBe(EXIT.unavailable);
      expect(errorOf(list).code).toBe('METADATA_NO_QUORUM');
      expect(errorOf(list).message).toContain('--stale');
    });

    it('lists, describes and returns files with --stale', async () => {
      const names = await cluster.run(['ls', '--stale', '/']);
      expect(names).toMatchObject({ status: EXIT.ok, stderr: '' });
      expect(names.stdout.split('\n')).toEqual(expect.arrayContaining(['load/', 'report']));
      const stat = await cluster.run(['stat', '--stale', '--json', '/report']);
      expect(JSON.parse(stat.stdout)).toMatchObject({ kind: 'file', sizeBytes: FILE_BYTES });
      // Asked at once, they travel together.
      const looked = await Promise.all(
        ['/report', '/load'].map((path) => client.stat(path, { stale: true })),
      );
      expect(looked.map(({ kind }) => kind)).toEqual(['file', 'directory']);
      const { bytes } = await client.get('/report', { stale: true });
      expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('report', FILE_BYTES)));
      const get = await cluster.run(['get', '--stale', '/report', '-']);
      expect(get.status).toBe(EXIT.ok);
    });

    it('names the lost quorum in the status and exits with 1', () => {
      expect(status.status).toBe(EXIT.failed);
      const { stale, checks } = JSON.parse(status.stdout) as {
        stale: boolean;
        checks: readonly { name: string; health: string; advice: string }[];
      };
      expect(stale).toBe(true);
      expect(checks.find(({ name }) => name === 'quorum')).toMatchObject({
        health: 'fail',
        advice: expect.stringContaining('Writes are refused'),
      });
    });

    it('has every acknowledged file and takes writes once they are back', async () => {
      await start(metadataNodes.filter((name) => name !== survivor));
      await cluster.settled();
      expect(await lostFiles(client, load.acknowledged)).toEqual([]);
      await client.put('/again', knownBytes('again', FILE_BYTES));
      const names: string[] = [];
      for await (const { name } of client.list('/')) names.push(name);
      expect(names.toSorted()).toEqual(['again', 'load', 'report']);
    });
  });

  it('finds every block again after all metadata nodes were killed, with the datanodes left running', async () => {
    const before = datanodePids();
    await kill(metadataNodes);
    await start(metadataNodes);
    await cluster.settled();
    expect(await lostFiles(client, load.acknowledged)).toEqual([]);
    const { bytes } = await client.get('/report');
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('report', FILE_BYTES)));
    await eventually('all copies are known again', 20_000, async () => {
      const located = await client.locate('/report');
      return located.blocks.every(({ nodes }) => nodes.length === 3) ? true : undefined;
    });
    expect(datanodePids()).toEqual(before);
    await client.put('/once-more', knownBytes('once-more', FILE_BYTES));
  });

  function datanodePids(): (number | undefined)[] {
    return ['d1', 'd2', 'd3'].map((name) => {
      const node = cluster.node(name);
      return node.isRunning ? node.ready.pid : undefined;
    });
  }
});

async function timed(result: Promise<CommandResult>): Promise<TimedResult> {
  const startMs = performance.now();
  return { ...(await result), tookMs: performance.now() - startMs };
}

/** Resolves once some of its blocks are stored. */
async function putUnderWay(client: Client, path: string): Promise<{ readonly underWay: Promise<unknown> }> {
  const hasBegun = Promise.withResolvers<void>();
  const onProgress = (): void => hasBegun.resolve();
  const underWay = client.put(path, knownBytes(path, ENDLESS_BYTES), { onProgress });
  underWay.catch(hasBegun.reject);
  await hasBegun.promise;
  return { underWay };
}

/** What became of a change, and when. */
async function outcome(change: Promise<unknown>): Promise<Outcome> {
  const startMs = performance.now();
  const error = await change.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - startMs };
}

function errorOf({ stderr }: CommandResult): { code: string; kind: string; message: string } {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return (JSON.parse(last) as { error: { code: string; kind: string; message: string } }).error;
}
