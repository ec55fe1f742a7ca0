/** @module The process of dht-spill.ts: fills one holder, looks things up, and says what it took. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { FilePageStore } from '../../src/storage/file-page-store.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { lonelyHolder } from './lonely-holder.ts';
import { percentile } from './statistics.ts';

export interface SpillOrder {
  readonly records: number;
  /** Everything is in memory without it. */
  readonly spill?: { readonly path: string; readonly memoryBytes: number };
}

export interface SpillMeasure {
  readonly announcedPerSecond: number;
  readonly announceP99Ms: number;
  readonly announceCpuMicroseconds: number;
  readonly lookedUpPerSecond: number;
  readonly lookupCpuMicroseconds: number;
  /** Of 16 hashes, one question at a time. */
  readonly lookupP50Ms: number;
  readonly lookupP99Ms: number;
  readonly residentBytes: number;
  readonly tableBytes: number;
  readonly recordsOnDisk: number;
  readonly bytesOnDisk: number;
}

const BATCH = 4_096;
const HASH_BYTES = 32;
const NODES = 100;
const MAX_DISK_BYTES = 1e11;
/** Of every batch so many hashes are looked up later. */
const SAMPLED = 100;
const LOOKUP_BATCH = 256;
const LOOKUP_BATCHES = 800;
const SMALL_LOOKUPS = 5_000;
const SMALL_LOOKUP = 16;

const [order] = (await once(process, 'message')) as [SpillOrder];
process.send?.(await measure(order));

async function measure({ records, spill }: SpillOrder): Promise<SpillMeasure> {
  await using cleanup = new AsyncDisposableStack();
  const store = spill && cleanup.use(await FilePageStore.open(spill.path, { maxBytes: MAX_DISK_BYTES }));
  const onLost = (shard: number): never => {
    throw new Error(`shard ${shard} was lost`);
  };
  const logger = createLogger({ level: 'warn' });
  const options = store &&
    spill && { store, clock: systemClock, logger, onLost, memoryBytes: spill.memoryBytes };
  const { server, status } = lonelyHolder((await createIdentity()).peer, {
    maxRecords: 1e9,
    ...(options && { spill: options }),
  });
  const samples: Buffer[] = [];
  const latencies: number[] = [];
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const announcing = stopwatch();
  for (let done = 0, sequence = 1; done < records; done += BATCH, sequence++) {
    const added = randomBytes(BATCH * HASH_BYTES);
    samples.push(Buffer.from(added.subarray(0, SAMPLED * HASH_BYTES)));
    const node = 1 + (sequence % NODES);
    const removed = new Uint8Array(0);
    const startMs = performance.now();
    await server.announce(node, { node, generation: 1, sequence, added, removed, whole: [], epoch: 1 });
    latencies.push(performance.now() - startMs);
    // As requests come: what the disk answers meanwhile is heard.
    await new Promise(setImmediate);
  }
  const announced = announcing();
  globalThis.gc?.();
  const residentBytes = process.memoryUsage().rss - before;
  const hashes = Buffer.concat(samples);
  const pick = (count: number, from: number): Uint8Array => {
    const picked = Buffer.alloc(count * HASH_BYTES);
    for (let at = 0; at < count; at++) {
      const place = ((from + at * 7_919) % (hashes.byteLength / HASH_BYTES)) * HASH_BYTES;
      hashes.copy(picked, at * HASH_BYTES, place, place + HASH_BYTES);
    }
    return picked;
  };
  const lookUp = async (count: number, from: number): Promise<void> => {
    const { counts } = await server.lookup({ hashes: pick(count, from), epoch: 1 });
    if (counts.some((found) => found === 0)) throw new Error('an announced record was not found');
  };
  const looking = stopwatch();
  for (let batch = 0; batch < LOOKUP_BATCHES; batch++) await lookUp(LOOKUP_BATCH, batch * 104_729);
  const lookedUp = looking();
  const small: number[] = [];
  for (let each = 0; each < SMALL_LOOKUPS; each++) {
    const startMs = performance.now();
    await lookUp(SMALL_LOOKUP, each * 15_485_863);
    small.push(performance.now() - startMs);
  }
  const { bytes, recordsOnDisk, bytesOnDisk } = status();
  const looked = LOOKUP_BATCHES * LOOKUP_BATCH;
  return {
    announcedPerSecond: Math.round(records / announced.seconds),
    announceP99Ms: percentile(latencies, 0.99),
    announceCpuMicroseconds: announced.cpuMicroseconds / records,
    lookedUpPerSecond: Math.round(looked / lookedUp.seconds),
    lookupCpuMicroseconds: lookedUp.cpuMicroseconds / looked,
    lookupP50Ms: percentile(small, 0.5),
    lookupP99Ms: percentile(small, 0.99),
    residentBytes,
    tableBytes: bytes,
    recordsOnDisk,
    bytesOnDisk,
  };
}

function stopwatch(): () => { seconds: number; cpuMicroseconds: number } {
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - startMs) / 1000, cpuMicroseconds: user + system };
  };
}
