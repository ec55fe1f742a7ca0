/** @module Disks that fill up while a file is put, and one that cannot be written at all. */
import { execFile } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import type { Client } from '../../src/index.ts';
import { BLOCK_RESERVE_BYTES } from '../../src/storage/block-room.ts';
import { Command } from './support/command.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const MIB = 1024 * 1024;
/** What a datanode on the small disk may use before it leaves the rest alone. */
const SMALL_DISK_BYTES = 48 * MIB;
const PATIENCE_MS = 30_000;

let cluster: LocalCluster;
let client: Client;
let holdfast: Command;
/** Undefined when this process may not mount: then d3 is a directory like the others. */
let smallDisk: string | undefined;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 2, replication: 3 });
  smallDisk = await mountSmallDisk(cluster.nodeDirectory('d3'));
  await cluster.join('d3');
  await cluster.settled();
  client = await cluster.connect();
  const directory = join(cluster.directory, 'work');
  await mkdir(directory);
  holdfast = new Command(cluster, directory);
});
afterAll(async () => {
  await client?.close();
  await cluster?.node('d3').kill('SIGKILL');
  if (smallDisk !== undefined) await promisify(execFile)('umount', [smallDisk]);
  await cluster?.stop();
});

async function mountSmallDisk(directory: string): Promise<string | undefined> {
  await mkdir(directory);
  const size = `size=${BLOCK_RESERVE_BYTES + SMALL_DISK_BYTES}`;
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', directory]);
    return directory;
  } catch {
    // Not root, or no tmpfs: the test that needs it says so when it is skipped.
    return undefined;
  }
}

/** Takes what is free on the disk, as another program might. */
async function fillDisk(directory: string): Promise<string> {
  const filler = join(directory, 'filler');
  const handle = await open(filler, 'w');
  const chunk = Buffer.alloc(4 * MIB, 1);
  try {
    for (;;) await handle.write(chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
  return filler;
}

async function digest(path: string): Promise<string> {
  return sha256Of((await client.get(path)).bytes);
}

function digestOf(name: string, sizeBytes: number): Promise<string> {
  return sha256Of(knownBytes(name, sizeBytes));
}

/** Restarts datanodes so that they take no more than `moreBytes` beyond what they hold. */
async function limit(names: readonly string[], moreBytes: number): Promise<void> {
  const { dataNodes } = await client.status();
  await Promise.all(
    names.map(async (name) => {
      const used = dataNodes.find(({ member }) => member?.name === name)?.usedBytes ?? 0;
      await cluster.node(name).kill('SIGTERM');
      await cluster.startNode(name, ['--capacity', String(used + moreBytes)]);
    }),
  );
  await cluster.settled();
}

describe('a put', () => {
  it('goes on without a datanode whose disk another program fills meanwhile', async (context) => {
    if (smallDisk === undefined) return context.skip('needs the right to mount a tmpfs (run as root)');
    const disk = smallDisk;
    const sizeBytes = 40 * MIB;
    let filler: string | undefined;
    // Blocks are on their way while the disk fills up, and more come when it is full.
    async function* source(): AsyncGenerator<Uint8Array> {
      let givenBytes = 0;
      for await (const chunk of knownBytes('around', sizeBytes)) {
        if (givenBytes >= sizeBytes / 4) filler ??= await fillDisk(disk);
        givenBytes += chunk.byteLength;
        yield chunk;
      }
    }
    const result = await client.put('/around', source(), { sizeBytes, blockSizeBytes: MIB });
    expect(result.copies).toBe(2);
    expect(result.underReplicatedBlocks).toBeGreaterThan(0);
    expect(await digest('/around')).toBe(await digestOf('around', sizeBytes));
    await rm(filler ?? '');
    // A client of its own: the first one leaves the datanode that failed alone for a while.
    await using other = await cluster.connect();
    await eventually('three copies again', PATIENCE_MS, async () => {
      const again = await other.put('/again', knownBytes('again', MIB), { blockSizeBytes: MIB });
      return again.copies === 3 ? true : undefined;
    });
    expect(cluster.node('d3').isRunning).toBe(true);
    expect(await digest('/around')).toBe(await digestOf('around', sizeBytes));
  });

  it('fills one small datanode and goes on with the others', async () => {
    await limit(['d3'], 4 * MIB);
    const sizeBytes = 24 * MIB;
    const options = { sizeBytes, blockSizeBytes: MIB, replication: 2 };
    expect(await client.put('/elsewhere', knownBytes('elsewhere', sizeBytes), options)).toMatchObject({
      copies: 2,
      underReplicatedBlocks: 0,
    });
    expect(await digest('/elsewhere')).toBe(await digestOf('elsewhere', sizeBytes));
  });

  it('fails cleanly when all are full, serves what it had, and works again with room', async () => {
    await client.put('/before', knownBytes('before', 2 * MIB), { blockSizeBytes: MIB });
    await client.put('/replaced', knownBytes('old', MIB), { blockSizeBytes: MIB });
    await limit(['d1', 'd2', 'd3'], 4 * MIB);
    const sizeBytes = 32 * MIB;
    await writeFile(join(holdfast.directory, 'large'), knownBytes('large', sizeBytes));
    const failures = ['/large', '/replaced'].map((target) =>
      holdfast.failure('put', '--block-size', '1MiB', 'large', target),
    );
    for (const failure of await Promise.all(failures))
      expect(failure).toEqual([EXIT.unavailable, 'METADATA_NOT_ENOUGH_DATANODES']);
    await expect(client.stat('/large')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect(await digest('/replaced')).toBe(await digestOf('old', MIB));
    expect(await digest('/before')).toBe(await digestOf('before', 2 * MIB));
    expect((await client.status()).counters?.leases).toBe(0);

    await limit(['d1', 'd2'], 1024 * MIB);
    await holdfast.text('put', '--replication', '2', '--block-size', '1MiB', 'large', '/large');
    expect(await digest('/large')).toBe(await digestOf('large', sizeBytes));
  });
});

describe('a node', () => {
  it('does not start on a disk that is mounted read-only, says so, and starts once it is not', async (context) => {
    if (smallDisk === undefined) return context.skip('needs the right to mount a tmpfs (run as root)');
    const disk = smallDisk;
    const remount = (how: 'ro' | 'rw') => promisify(execFile)('mount', ['-o', `remount,${how}`, disk]);
    await cluster.node('d3').kill('SIGTERM');
    await remount('ro');
    try {
      const { status, stderr } = await cluster.run(['node', 'start', '--json', '--dir', disk]);
      expect([status, JSON.parse(stderr)]).toMatchObject([
        EXIT.node,
        { error: { code: 'NODE_DIRECTORY_NOT_WRITABLE', message: expect.stringContaining(disk) } },
      ]);
    } finally {
      await remount('rw');
    }
    await cluster.startNode('d3');
    await cluster.settled();
    expect(await digest('/large')).toBe(await digestOf('large', 32 * MIB));
  });
});
