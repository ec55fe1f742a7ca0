/** @module Metadata nodes whose log is cut, wiped or replaced by an old copy while they are down come back by themselves. */
import { cp, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';

const SETTLE_MS = 60_000;
const FILES_PER_ROUND = 12;
/**
 * In the midst of a frame of the WAL. Several writes: the last one may have been under way when the node was killed, and nobody
 * was promised that.
 */
const CUT_BYTES = 40_100;

describe('a metadata node that has lost what it acknowledged', () => {
  let cluster: LocalCluster;
  let client: Client;
  const acknowledged: string[] = [];

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 0 });
    client = await cluster.connect();
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
  });

  const write = async (round: string): Promise<void> => {
    for (let at = 0; at < FILES_PER_ROUND; at += 1) {
      await client.touch(`/${round}-${at}`);
      acknowledged.push(`/${round}-${at}`);
    }
  };

  /** Stops `name`, damages its directory, and expects it back under a new number with nothing lost. Returns whether it kept its old files. */
  const survives = async (name: string, damage: (directory: string) => Promise<void>): Promise<boolean> => {
    const { number } = cluster.node(name).ready;
    await cluster.node(name).kill('SIGKILL');
    await damage(cluster.nodeDirectory(name));
    const { ready } = await cluster.startNode(name);
    expect(ready.number).toBeGreaterThan(number);
    await eventually(`node ${ready.number} votes in place of node ${number}`, SETTLE_MS, async () => {
      const { membership } = await client.status();
      const voters = membership?.voters ?? [];
      return voters.includes(ready.number) && voters.length === 3 ? true : undefined;
    });
    const { members } = await client.members();
    expect(members.find((member) => member.number === number)?.state).toBe('left');
    for (const path of acknowledged) expect((await client.stat(path)).kind).toBe('file');
    return (await readdir(cluster.nodeDirectory(name))).includes(`lost-${number}`);
  };

  it('by a WAL that has lost its end', async () => {
    await write('cut');
    const kept = await survives('m3', async (directory) => {
      const wal = join(directory, 'raft.db-wal');
      await truncate(wal, (await stat(wal)).size - CUT_BYTES);
    });
    expect(kept).toBe(true);
  });

  it('by a log and a namespace that are gone', async () => {
    await write('wiped');
    await survives('m2', async (directory) => {
      for (const file of await readdir(directory))
        if (/^(raft|namespace)\.db|^snapshots$/.test(file))
          await rm(join(directory, file), { recursive: true });
    });
  });

  it('by an old copy of its whole directory that was put back', async () => {
    const directory = cluster.nodeDirectory('m1');
    const backup = join(cluster.directory, 'backup');
    await cluster.node('m1').kill('SIGKILL');
    await cp(directory, backup, { recursive: true, preserveTimestamps: true });
    await cluster.startNode('m1');
    await cluster.settled();
    await write('rolled-back');
    const kept = await survives('m1', async () => {
      await rm(directory, { recursive: true });
      await rename(backup, directory);
    });
    expect(kept).toBe(true);
  });
});
