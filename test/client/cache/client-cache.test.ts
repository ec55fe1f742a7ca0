/** @module A client with a cache on its disk: what it reads without the cluster, what it never believes, how long it remembers. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheSettings } from '../../../src/client/cache/client-cache.ts';
import type { Client } from '../../../src/client/client.ts';
import { KIB } from '../../../src/common/bytes.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { contents, gather, hashOf } from '../bytes.ts';
import { FileCluster } from '../file-cluster.ts';

const BLOCK = 64 * KIB;
const TTL_MS = 60_000;

let cluster: FileCluster;
let directory: string;
let lateMs = 0;
const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + lateMs };
/** For tests that wait out a reader's attempts. */
const hasty = {
  ...clock,
  after: (delayMs: number, then: () => void) => systemClock.after(delayMs / 10, then),
};

beforeAll(async () => {
  cluster = await FileCluster.start(1, 2);
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  lateMs = 0;
  directory = await mkdtemp(join(tmpdir(), 'holdfast-cache-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** What was asked in the very millisecond of a change is not believed: it may have been asked before. */
function passTheMoment(): void {
  lateMs += 1;
}

const cached = (settings: Partial<CacheSettings> = {}, own = clock): Promise<Client> =>
  cluster.client('elsewhere', { clock: own, cache: { directory, ...settings } });

async function read(client: Client, path: string, range = {}): Promise<Buffer> {
  return Buffer.from(await gather((await client.get(path, range)).bytes));
}

/** Whom the client does not ask. */
async function without<T>(
  client: Client,
  names: readonly ('open' | 'ask')[],
  work: () => Promise<T>,
): Promise<T> {
  const { context } = client as unknown as {
    context: { network: { open: unknown }; metadata: { ask: unknown } };
  };
  const kept = { open: context.network.open, ask: context.metadata.ask };
  const refuse = (): never => {
    throw new Error('asked the cluster');
  };
  if (names.includes('open')) context.network.open = refuse;
  if (names.includes('ask')) context.metadata.ask = refuse;
  try {
    return await work();
  } finally {
    Object.assign(context.network, { open: kept.open });
    Object.assign(context.metadata, { ask: kept.ask });
  }
}

describe('blocks in a cache', () => {
  it('are read by another client without a datanode, whole and in part', async () => {
    const bytes = contents(5 * BLOCK + 100, 'kept');
    const first = await cached();
    await first.put('/kept', bytes, { blockSizeBytes: BLOCK });
    expect((await read(first, '/kept')).equals(bytes)).toBe(true);
    const second = await cached();
    await without(second, ['open'], async () => {
      expect((await read(second, '/kept')).equals(bytes)).toBe(true);
      const part = await read(second, '/kept', { offset: BLOCK - 3, length: 10 });
      expect(part.equals(bytes.subarray(BLOCK - 3, BLOCK + 7))).toBe(true);
    });
  });

  it('are read from the cluster again when they are damaged or cut', async () => {
    const bytes = contents(2 * BLOCK, 'damaged');
    const client = await cached();
    await client.put('/damaged', bytes, { blockSizeBytes: BLOCK });
    await read(client, '/damaged');
    const [rotten, cut] = (await readdir(join(directory, 'blocks'))).map((name) =>
      join(directory, 'blocks', name),
    );
    const content = await readFile(rotten as string);
    content[1_000] = (content[1_000] ?? 0) ^ 1;
    await writeFile(rotten as string, content);
    await writeFile(cut as string, content.subarray(0, 10));
    expect((await read(client, '/damaged')).equals(bytes)).toBe(true);
    for (const file of [rotten, cut])
      expect(hashOf(await readFile(file as string))).toBe((file as string).slice(-64));
  });

  it('are done without when the disk fails, with one warning', async () => {
    const bytes = contents(3 * BLOCK, 'trouble');
    const codes: string[] = [];
    await mkdir(join(directory, 'no'));
    await writeFile(join(directory, 'no', 'blocks'), 'a file where the directory should be');
    await writeFile(join(directory, 'no', 'plans'), 'and here');
    const client = await cached({
      directory: join(directory, 'no'),
      ttlMs: TTL_MS,
      onTrouble: ({ code }) => codes.push(code),
    });
    await client.put('/trouble', bytes, { blockSizeBytes: BLOCK });
    for (let round = 0; round < 2; round += 1)
      expect((await read(client, '/trouble')).equals(bytes)).toBe(true);
    expect(codes).toEqual(['CLIENT_CACHE_UNUSABLE']);
  });
});

describe('what files are made of', () => {
  const before = contents(BLOCK, 'before');
  const after = contents(BLOCK, 'after');

  it('is asked each time when there is no time to live', async () => {
    const [client, other] = [await cached(), await cached()];
    await client.put('/asked', before);
    await read(client, '/asked');
    await other.put('/asked', after);
    expect((await read(client, '/asked')).equals(after)).toBe(true);
  });

  it('is not asked within the time to live, and asked after it', async () => {
    const client = await cached({ ttlMs: TTL_MS });
    const elsewhere = await cluster.client();
    await client.put('/lived', before);
    passTheMoment();
    await client.stat('/lived');
    await read(client, '/lived');
    await without(client, ['open', 'ask'], async () => {
      expect((await client.stat('/lived')).sizeBytes).toBe(BLOCK);
      expect((await read(client, '/lived')).equals(before)).toBe(true);
    });
    await elsewhere.put('/lived', after);
    lateMs = TTL_MS - 1_000;
    expect((await read(client, '/lived')).equals(before)).toBe(true);
    lateMs = TTL_MS + 1;
    expect((await read(client, '/lived')).equals(after)).toBe(true);
  });

  it.each<[string, (client: Client) => Promise<unknown>]>([
    ['a put', (client) => client.put('/change/file', after)],
    [
      'a rename of what is above',
      async (client) => {
        await client.rename('/change', '/away');
        await client.put('/change/file', after, { parents: true });
      },
    ],
    [
      'removing it',
      async (client) => {
        await client.unlink('/change/file');
        await client.put('/change/file', after);
      },
    ],
  ])(
    'is asked again after %s by a client on the same cache, also for those on other paths',
    async (_what, change) => {
      const [client, writer] = [await cached({ ttlMs: TTL_MS }), await cached()];
      await writer.put('/change/file', before, { parents: true });
      await writer.symlink('/change', '/link').catch(() => {});
      expect((await read(client, '/link/file')).equals(before)).toBe(true);
      expect((await read(client, '/change/file')).equals(before)).toBe(true);
      await change(writer);
      expect((await read(client, '/change/file')).equals(after)).toBe(true);
      expect((await read(client, '/link/file')).equals(after)).toBe(true);
      await writer.removeTree('/change');
      await writer.removeTree('/away').catch(() => {});
      await expect(client.stat('/change/file')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    },
  );

  it('is not learned from an answer that may be out of date already', async () => {
    const client = await cached({ ttlMs: TTL_MS });
    await client.put('/stale', before);
    await client.stat('/stale', { stale: true });
    await expect(without(client, ['ask'], () => client.stat('/stale'))).rejects.toThrow('asked the cluster');
  });

  it('is forgotten when its blocks are gone because it changed', async () => {
    const client = await cached({ ttlMs: TTL_MS }, hasty);
    const elsewhere = await cluster.client();
    const bytes = contents(BLOCK, 'gone');
    await client.put('/gone', bytes);
    passTheMoment();
    await read(client, '/gone');
    await elsewhere.put('/gone', after);
    // A datanode brings back what a file still refers to: the one that was replaced, until its blocks are freed.
    const { machine } = cluster.metadata.any();
    await cluster.metadata.until('its blocks are freed', () => machine.counters().orphans === 0);
    await rm(join(directory, 'blocks'), { recursive: true });
    const hash = hashOf(bytes);
    for (const { blocks } of cluster.holdersOf(hash))
      await blocks.quarantine(hash, { reason: 'garbage', era: 0, index: 0, sinceMs: 0 });
    await expect(read(client, '/gone')).rejects.toMatchObject({ code: 'CLIENT_FILE_CHANGED' });
    expect((await read(client, '/gone')).equals(after)).toBe(true);
  });

  it('is believed only when its checksum holds', async () => {
    const client = await cached({ ttlMs: TTL_MS });
    await client.put('/sealed', before);
    await read(client, '/sealed');
    const plans = join(directory, 'plans');
    for (const name of await readdir(plans)) {
      const sealed = await readFile(join(plans, name));
      sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
      await writeFile(join(plans, name), sealed);
    }
    await expect(without(client, ['ask'], () => read(client, '/sealed'))).rejects.toThrow(
      'asked the cluster',
    );
    expect((await read(client, '/sealed')).equals(before)).toBe(true);
  });
});

it.each([{ ttlMs: 3_600_001 }, { ttlMs: -1 }, { sizeBytes: 4_096 }])(
  'refuses settings that make no sense: %o',
  async (settings) => {
    await expect(cached(settings)).rejects.toMatchObject({ code: 'CLIENT_INVALID_ARGUMENT' });
  },
);
