/** @module What goes wrong around a transfer: ctrl-C, races, full disks, wrong clocks. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { commandWords } from '../../cli/demo/node-process.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { type Client, connect, isHoldfastError } from '../../src/index.ts';
import { systemClock } from '../../src/common/clock.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

describe('transfers in trouble', () => {
  let cluster: LocalCluster;
  let client: Client;
  let local: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 1, dataNodes: 2, replication: 2 });
    client = await cluster.connect();
    local = await mkdtemp(join(tmpdir(), 'holdfast-trouble-'));
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
    await rm(local, { recursive: true, force: true });
  });

  async function digest(path: string): Promise<string> {
    return sha256Of((await client.get(path)).bytes);
  }

  /** Starts the command, sends SIGINT once `isUnderWay`, and returns the exit status. */
  async function interrupted(
    words: readonly string[],
    isUnderWay: () => Promise<boolean>,
  ): Promise<number | null> {
    const [program, ...first] = commandWords();
    const env = { ...process.env, HOLDFAST_PROFILE: cluster.profileDir };
    const child = spawn(program, [...first, ...words], { env, stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => {}).write(Buffer.alloc(2 * MIB, 7));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await eventually('the transfer is under way', 30_000, async () =>
      (await isUnderWay()) ? true : undefined,
    );
    child.kill('SIGINT');
    return ended;
  }

  it('leaves nothing visible and no lease after ctrl-C in a put', async () => {
    // Standard input stays open: the put cannot end by itself, however fast the machine is.
    const status = await interrupted(
      ['put', '--block-size', '64KiB', '-', '/interrupted'],
      async () => ((await client.status()).counters?.leases ?? 0) > 0,
    );
    expect(status).toBe(EXIT.interrupted);
    await expect(client.stat('/interrupted')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await eventually('the lease is given back', 10_000, async () =>
      (await client.status()).counters?.leases === 0 ? true : undefined,
    );
  });

  it('leaves neither file nor temporary after ctrl-C in a get', async () => {
    await client.put('/large', knownBytes('large', 192 * MIB));
    const target = join(local, 'interrupted-get');
    const words = ['get', '/large', target];
    const status = await interrupted(words, async () => (await readdir(local)).length > 0);
    expect(status).toBe(EXIT.interrupted);
    expect(await readdir(local)).toEqual([]);
  });

  it('lets one of two puts to one path win whole', async () => {
    const names = ['left', 'right'];
    await Promise.all(
      names.map((name) => client.put('/raced', knownBytes(name, 5 * MIB), { blockSizeBytes: MIB })),
    );
    const wanted = await Promise.all(names.map((name) => sha256Of(knownBytes(name, 5 * MIB))));
    expect(wanted).toContain(await digest('/raced'));
  });

  it('gives the old file or the new one to who reads while it is replaced, never a mix', async () => {
    const versions = Array.from({ length: 6 }, (_, at) => `version ${at}`);
    const wanted = new Set(await Promise.all(versions.map((name) => sha256Of(knownBytes(name, 3 * MIB)))));
    const put = (name: string): Promise<unknown> =>
      client.put('/replaced', knownBytes(name, 3 * MIB), { blockSizeBytes: MIB });
    await put('version 0');
    const writing = (async () => {
      for (const name of versions) await put(name);
    })();
    const ended = new AbortController();
    void writing.finally(() => ended.abort());
    let reads = 0;
    do {
      try {
        expect(wanted).toContain(await digest('/replaced'));
        reads += 1;
      } catch (error) {
        // Replaced under the reader: it is told, and reads again.
        if (!isHoldfastError(error, 'CLIENT_FILE_CHANGED')) throw error;
      }
    } while (!ended.signal.aborted);
    await writing;
    expect(reads).toBeGreaterThan(0);
    expect(await digest('/replaced')).toBe(await sha256Of(knownBytes('version 5', 3 * MIB)));
  });

  it('does not show a file that is being written for the first time', async () => {
    const more = Promise.withResolvers<void>();
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield* knownBytes('beginning', 16 * MIB);
      await more.promise;
      yield Buffer.alloc(MIB, 2);
    }
    const putting = client.put('/unfinished', slowly(), { blockSizeBytes: MIB });
    await eventually('it is being written', 10_000, async () =>
      ((await client.status()).counters?.leases ?? 0) > 0 ? true : undefined,
    );
    await expect(client.get('/unfinished')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    more.resolve();
    expect((await putting).stat.sizeBytes).toBe(17 * MIB);
    expect((await client.stat('/unfinished')).sizeBytes).toBe(17 * MIB);
  });

  it('stops a put by its signal and frees what it had begun', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; ; count += 1) {
        if (count === 6) controller.abort(new Error('enough'));
        yield Buffer.alloc(MIB, count);
      }
    }
    const { signal } = controller;
    await expect(client.put('/endless', endless(), { blockSizeBytes: MIB, signal })).rejects.toThrow(
      'enough',
    );
    await expect(client.stat('/endless')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
  });

  it.each([DAY_MS, -DAY_MS])(
    'does not care that the clock of a client is wrong by %i ms',
    async (offsetMs) => {
      const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + offsetMs };
      await using wrong = await connect({ profileDir: cluster.profileDir, clock });
      await wrong.put('/timely', knownBytes('timely', 3 * MIB), { blockSizeBytes: MIB });
      expect(await digest('/timely')).toBe(await sha256Of(knownBytes('timely', 3 * MIB)));
      expect(Math.abs((await client.stat('/timely')).mtimeMs - Date.now())).toBeLessThan(DAY_MS / 2);
    },
  );

  it('fails cleanly when the datanodes are full, and serves what it had', async () => {
    await client.put('/before', knownBytes('before', 2 * MIB));
    for (const name of ['d1', 'd2']) {
      const used =
        (await client.status()).dataNodes.find(({ member }) => member?.name === name)?.usedBytes ?? 0;
      await cluster.node(name).kill('SIGTERM');
      await cluster.startNode(name, ['--capacity', String(used + 4 * MIB)]);
    }
    await cluster.settled();
    const source = join(local, 'too-large');
    await writeFile(source, knownBytes('too large', 64 * MIB));
    const { status, stderr } = await cluster.run([
      'put',
      '--json',
      '--block-size',
      '1MiB',
      source,
      '/too-large',
    ]);
    expect(status).toBe(EXIT.unavailable);
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: {
        code: expect.stringMatching(/^(METADATA_NOT_ENOUGH_DATANODES|CLIENT_WRITE_FAILED|STORAGE_FULL)$/),
      },
    });
    await expect(client.stat('/too-large')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect(await digest('/before')).toBe(await sha256Of(knownBytes('before', 2 * MIB)));
  });
});
