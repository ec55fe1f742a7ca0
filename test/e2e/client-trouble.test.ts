/** @module What goes wrong around a transfer: ctrl-C, races, wrong clocks. */
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { type Client, connect, isHoldfastError } from '../../src/index.ts';
import { Command, type RunningCommand } from './support/command.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const MIB = 1024 * 1024;
/** Of a block that travels alone, along a chain of datanodes, and has a file of its own there. */
const BLOCK = 128 * 1024;
const BLOCKS_OF = ['--block-size', '128KiB'];
const DAY_MS = 24 * 60 * 60 * 1000;
/** Half of the life of a lease that nobody gives back. */
const PATIENCE_MS = 30_000;
const ROUNDS = 8;

let cluster: LocalCluster;
let client: Client;
let holdfast: Command;

beforeAll(async () => {
  cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 2, replication: 2 });
  client = await cluster.connect();
  const directory = join(cluster.directory, 'work');
  await mkdir(directory);
  holdfast = new Command(cluster, directory);
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

async function digest(path: string): Promise<string> {
  return sha256Of((await client.get(path)).bytes);
}

function digestOf(name: string, sizeBytes: number): Promise<string> {
  return sha256Of(knownBytes(name, sizeBytes));
}

function put(name: string, path: string, sizeBytes: number): Promise<unknown> {
  return client.put(path, knownBytes(name, sizeBytes), { blockSizeBytes: BLOCK });
}

async function leases(): Promise<number> {
  return (await client.status()).counters?.leases ?? Number.NaN;
}

async function untilLeases(claim: string, wanted: (count: number) => boolean): Promise<void> {
  await eventually(claim, PATIENCE_MS, async () => (wanted(await leases()) ? true : undefined));
}

/** A put of more than one step, whose input has not ended. */
async function startedPut(path: string): Promise<RunningCommand> {
  const before = await leases();
  const putting = holdfast.start('put', ...BLOCKS_OF, '-', path);
  putting.stdin.write(Buffer.alloc(MIB, 7));
  await untilLeases('the put has its lease', (count) => count > before);
  return putting;
}

/** A source that has nothing yet. */
async function* never(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
  yield Buffer.of();
}

describe('ctrl-C', () => {
  it('in a put leaves nothing visible and no lease, and ends with 130', async () => {
    const putting = await startedPut('/interrupted');
    putting.signal('SIGINT');
    const { status, stderr } = await putting.ended;
    expect([status, stderr]).toEqual([EXIT.interrupted, 'holdfast: Stopped by SIGINT. [CLI_INTERRUPTED]\n']);
    await expect(client.stat('/interrupted')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await untilLeases('the lease is given back', (count) => count === 0);
  });

  it('in a put over an older file leaves the older file whole', async () => {
    await put('older', '/kept', 3 * BLOCK);
    const putting = await startedPut('/kept');
    putting.signal('SIGINT');
    expect((await putting.ended).status).toBe(EXIT.interrupted);
    expect(await digest('/kept')).toBe(await digestOf('older', 3 * BLOCK));
  });

  it('in a put of a tree leaves only whole files', async () => {
    await mkdir(join(holdfast.directory, 'tree'));
    const names = Array.from({ length: 400 }, (_, at) => `f${at}`);
    for (const name of names) await writeFile(join(holdfast.directory, 'tree', name), name.repeat(1_000));
    // Nothing but holes: the put cannot end before ctrl-C, and no disk fills up with it.
    await writeFile(join(holdfast.directory, 'tree', 'endless'), '');
    await truncate(join(holdfast.directory, 'tree', 'endless'), 1024 * 1024 * MIB);
    const putting = holdfast.start('put', '-r', 'tree', '/');
    await eventually('some files are there', PATIENCE_MS, async () =>
      (await client.stat('/tree')).childCount > 20 ? true : undefined,
    );
    putting.signal('SIGINT');
    expect((await putting.ended).status).toBe(EXIT.interrupted);
    for await (const { name, stat } of client.list('/tree')) {
      expect(names).toContain(name);
      expect(stat?.sizeBytes).toBe(name.length * 1_000);
    }
  });

  it('in a get leaves the older local file and no temporary one, and ends with 130', async () => {
    await put('fetched', '/fetched', MIB);
    const target = join(holdfast.directory, 'getting');
    await mkdir(target);
    await writeFile(join(target, 'fetched'), 'from yesterday');
    const datanodes = [cluster.node('d1'), cluster.node('d2')];
    // Nothing comes while they stand still, so that the get cannot end before ctrl-C.
    for (const node of datanodes) node.signal('SIGSTOP');
    try {
      const getting = holdfast.start('get', '/fetched', target);
      await eventually('the get has begun', PATIENCE_MS, async () =>
        (await readdir(target)).length > 1 ? true : undefined,
      );
      getting.signal('SIGINT');
      expect((await getting.ended).status).toBe(EXIT.interrupted);
    } finally {
      for (const node of datanodes) node.signal('SIGCONT');
    }
    expect(await readdir(target)).toEqual(['fetched']);
    expect(await readFile(join(target, 'fetched'), 'utf8')).toBe('from yesterday');
  });
});

describe('writers and readers of one path', () => {
  it('see one of two puts win whole, whichever it is', async () => {
    const sizeBytes = 9 * BLOCK + 1;
    const wanted = [await digestOf('left', sizeBytes), await digestOf('right', sizeBytes)];
    await using other = await cluster.connect();
    for (let round = 0; round < ROUNDS; round += 1) {
      const right = other.put('/raced', knownBytes('right', sizeBytes), { blockSizeBytes: BLOCK });
      await Promise.all([put('left', '/raced', sizeBytes), right]);
      expect(wanted).toContain(await digest('/raced'));
    }
    await untilLeases('no lease is left', (count) => count === 0);
  });

  it('let one of two puts with --if-absent in, and refuse the other', async () => {
    await writeFile(join(holdfast.directory, 'first'), 'first');
    await writeFile(join(holdfast.directory, 'second'), 'second');
    const names = ['first', 'second'];
    const ended = await Promise.all(names.map((name) => holdfast.run('put', '--if-absent', name, '/once')));
    expect(ended.map(({ status }) => status).toSorted()).toEqual([EXIT.ok, EXIT.conflict]);
    const winner = names[ended.findIndex(({ status }) => status === EXIT.ok)];
    expect(await holdfast.text('cat', '/once')).toBe(winner);
  });

  it('see the old file or the new one while it is replaced, never a mix', async () => {
    const sizeBytes = 20 * BLOCK;
    const versions = Array.from({ length: ROUNDS }, (_, at) => `version ${at}`);
    const wanted = await Promise.all(versions.map((name) => digestOf(name, sizeBytes)));
    await put('version 0', '/replaced', sizeBytes);
    const replaced = new AbortController();
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      while (!replaced.signal.aborted) {
        try {
          seen.push(await digest('/replaced'));
        } catch (error) {
          // Replaced under the reader: it is told, and reads again.
          if (!isHoldfastError(error, 'CLIENT_FILE_CHANGED')) throw error;
        }
      }
    };
    const reading = Promise.all([read(), read(), read()]);
    const isSeen = (at: number) => () => (seen.includes(wanted[at] ?? '') ? true : undefined);
    await eventually('the first version is read', PATIENCE_MS, isSeen(0));
    for (const name of versions.slice(1)) await put(name, '/replaced', sizeBytes);
    await eventually('the last version is read', PATIENCE_MS, isSeen(ROUNDS - 1));
    replaced.abort();
    await reading;
    expect(seen.filter((got) => !wanted.includes(got))).toEqual([]);
    expect(await digest('/replaced')).toBe(wanted.at(-1));
  });

  it('do not see a file that is being written for the first time', async () => {
    const putting = await startedPut('/unfinished');
    expect(await holdfast.failure('get', '/unfinished')).toEqual([EXIT.notFound, 'NAMESPACE_NOT_FOUND']);
    expect((await holdfast.json('ls', '/')).map(({ name }) => name)).not.toContain('unfinished');
    putting.stdin.end('the end');
    expect((await putting.ended).status).toBe(EXIT.ok);
    expect((await client.stat('/unfinished')).sizeBytes).toBe(MIB + 7);
  });
});

describe('a program on the SDK', () => {
  it('stops a put by its signal, and nothing of it stays', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; ; count += 1) {
        if (count === 40) controller.abort(new Error('enough'));
        yield Buffer.alloc(BLOCK, count);
      }
    }
    const { signal } = controller;
    const options = { blockSizeBytes: BLOCK, signal };
    await expect(client.put('/endless', endless(), options)).rejects.toThrow('enough');
    await expect(client.stat('/endless')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await untilLeases('the lease is given back', (count) => count === 0);
  });

  it('may stop a put at any moment: even a lease that was just being granted is given back', async () => {
    await put('warm', '/warm', 5 * BLOCK);
    const sizeBytes = 8 * BLOCK;
    for (let afterMs = 0; afterMs < 40; afterMs += 1) {
      const options = { sizeBytes, blockSizeBytes: BLOCK, signal: AbortSignal.timeout(afterMs) };
      await expect(client.put(`/stopped-${afterMs}`, never(), options)).rejects.toThrow();
    }
    await untilLeases('all leases are given back', (count) => count === 0);
  });

  it('gets the error of its own source, and nothing is stored', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(6 * BLOCK);
      throw new Error('the tape is torn');
    }
    const storing = client.put('/torn', failing(), { blockSizeBytes: BLOCK });
    await expect(storing).rejects.toThrow('the tape is torn');
    await expect(client.stat('/torn')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it('stops a get by its signal, or by reading no further, and reads any part', async () => {
    await put('parts', '/parts', 20 * BLOCK);
    const controller = new AbortController();
    const { bytes } = await client.get('/parts', { signal: controller.signal });
    const reading = (async () => {
      for await (const _ of bytes) controller.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    for await (const first of (await client.get('/parts')).bytes) {
      expect(first.byteLength).toBeGreaterThan(0);
      break;
    }
    const part = await client.get('/parts', { offset: 3 * BLOCK - 5, length: BLOCK + 9 });
    const whole: Uint8Array[] = [];
    for await (const chunk of knownBytes('parts', 20 * BLOCK)) whole.push(chunk);
    const wanted = Buffer.concat(whole).subarray(3 * BLOCK - 5, 4 * BLOCK + 4);
    expect(await sha256Of(part.bytes)).toBe(
      await sha256Of(
        (async function* () {
          yield wanted;
        })(),
      ),
    );
  });

  it.each([DAY_MS, -DAY_MS])('may have a clock that is wrong by %i ms', async (offsetMs) => {
    const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + offsetMs };
    await using wrong = await connect({ profileDir: cluster.profileDir, clock });
    await wrong.put('/timely', knownBytes('timely', 9 * BLOCK), { blockSizeBytes: BLOCK });
    expect(await digest('/timely')).toBe(await digestOf('timely', 9 * BLOCK));
    // One that is made and closed in one step, and one of no bytes.
    await wrong.put('/timely-small', knownBytes('small', 100));
    await wrong.touch('/timely-empty');
    // Times are the cluster's.
    for (const path of ['/timely', '/timely-small', '/timely-empty'])
      expect(Math.abs((await client.stat(path)).mtimeMs - Date.now()), path).toBeLessThan(DAY_MS / 2);
    const token = await wrong.createToken({ roles: ['client'], lifetimeMs: 60_000 });
    expect(Math.abs((token.record?.expiresMs ?? 0) - Date.now())).toBeLessThan(DAY_MS / 2);
  });
});
