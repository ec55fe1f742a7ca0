/** @module Rates of the location index, batches of 256: the bare table, then announcer and locator against five processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Announcer } from '../../dht/announcer.ts';
import { Locator } from '../../dht/locator.ts';
import { AnnounceRequest, LookupRequest, LookupResponse } from '../../dht/messages.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { BlockHash, PeerId } from '../../dht/ports.ts';
import { MembershipRing } from '../../dht/membership-ring.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/libp2p-network.ts';
import { locationRpc } from '../../src/protocol/location-rpc.ts';
import { lonelyHolder } from './lonely-holder.ts';
import { round } from './statistics.ts';
import { SyntheticBlocks } from './synthetic-blocks.ts';

const BATCH = 256;
const TABLE_RECORDS = 400_000;
const NETWORK_RECORDS = 400_000;
/** Metadata processes; each shard has three holders among them. */
const PROCESSES = 5;
/** Calls of one batch each that are in flight at a time. */
const IN_FLIGHT = 16;
const NODE = 1;

interface Rate {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Of all processes: what the wall clock says depends on who else is at work. */
  readonly cpuMicrosecondsPerRecord: number;
}

interface HolderProcess {
  readonly child: ChildProcess;
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

function batchesOf(count: number): BlockHash[][] {
  const hashes = Array.from({ length: count }, (_, each) =>
    createHash('sha256').update(String(each)).digest('hex'),
  );
  return Array.from({ length: Math.ceil(count / BATCH) }, (_, at) =>
    hashes.slice(at * BATCH, (at + 1) * BATCH),
  );
}

async function rate(
  records: number,
  work: () => Promise<void>,
  others: readonly HolderProcess[] = [],
): Promise<Rate> {
  const before = await cpuMicroseconds(others);
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const used = (await cpuMicroseconds(others)) - before;
  const cpuMicrosecondsPerRecord = round(used / records, 1);
  return { records, seconds, recordsPerSecond: Math.round(records / seconds), cpuMicrosecondsPerRecord };
}

/** Of this process and the others. */
async function cpuMicroseconds(others: readonly HolderProcess[]): Promise<number> {
  const used = await Promise.all(
    others.map(async ({ child }) => {
      child.send('usage');
      return ((await once(child, 'message')) as [{ cpuMicroseconds: number }])[0].cpuMicroseconds;
    }),
  );
  const { user, system } = process.cpuUsage();
  return used.reduce((sum, each) => sum + each, user + system);
}

async function concurrently<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** The holder's own work: decoding, the table, encoding. */
async function measureTable(): Promise<{ announce: Rate; lookup: Rate; bytesPerRecord: number }> {
  const server = lonelyHolder((await createIdentity()).peer).server;
  const batches = batchesOf(TABLE_RECORDS).map(packHashes);
  const announcements = batches.map((added, sequence) =>
    AnnounceRequest.encode(
      AnnounceRequest.create({ node: NODE, generation: 1, sequence: sequence + 1, added }),
    ).finish(),
  );
  const before = process.memoryUsage().rss;
  const announce = await rate(TABLE_RECORDS, async () => {
    for (const bytes of announcements) await server.announce(NODE, AnnounceRequest.decode(bytes));
  });
  const bytesPerRecord = Math.round((process.memoryUsage().rss - before) / TABLE_RECORDS);
  const questions = batches.map((hashes) => LookupRequest.encode({ hashes, epoch: 1 }).finish());
  const lookup = await rate(TABLE_RECORDS, async () => {
    for (const bytes of questions)
      LookupResponse.encode(await server.lookup(LookupRequest.decode(bytes))).finish();
  });
  return { announce, lookup, bytesPerRecord };
}

async function startHolder(): Promise<HolderProcess> {
  const child = fork(new URL('./dht-rates-holder.ts', import.meta.url));
  const [home] = (await once(child, 'message')) as [{ peer: PeerId; addresses: string[] }];
  return { child, ...home };
}

async function startCaller(holders: readonly HolderProcess[]): Promise<Libp2pNetwork> {
  const network = await createLibp2pNetwork(
    {
      identity: await createIdentity(),
      clock: systemClock,
      random: systemRandom,
      logger: createLogger({ level: 'warn' }),
    },
    { listen: [] },
  );
  network.authorize(() => true);
  await network.start();
  for (const { peer, addresses } of holders) network.learn(peer, addresses);
  return network;
}

/** What a datanode and a reader see: each record on all three holders, two of them waited for. */
async function measureNetwork(): Promise<{ announce: Rate; lookup: Rate }> {
  const holders = await Promise.all(Array.from({ length: PROCESSES }, startHolder));
  const network = await startCaller(holders);
  const rpc = locationRpc(network);
  const ring = new MembershipRing(() => ({ epoch: 1, peers: holders.map((holder) => holder.peer) }));
  const logger = createLogger({ level: 'warn' });
  const held = new SyntheticBlocks(batchesOf(NETWORK_RECORDS).flat());
  const components = { rpc, ring, clock: systemClock, logger };
  const announcer = new Announcer({ ...components, held }, { node: NODE, generation: 1 });
  const locator = new Locator(components);
  const batches = batchesOf(NETWORK_RECORDS);
  try {
    const announceAll = (): Promise<void> => concurrently(batches, (batch) => announcer.announce(batch));
    const announce = await rate(NETWORK_RECORDS, announceAll, holders);
    let found = 0;
    const lookUpAll = (): Promise<void> =>
      concurrently(batches, async (batch) => {
        const holdersOf = await locator.lookup(batch);
        found += holdersOf.filter((nodes) => nodes.includes(NODE)).length;
      });
    const lookup = await rate(NETWORK_RECORDS, lookUpAll, holders);
    if (found !== NETWORK_RECORDS) throw new Error(`Found ${found} of ${NETWORK_RECORDS} announced records`);
    return { announce, lookup };
  } finally {
    await announcer.stop();
    await network.stop();
    for (const { child } of holders) child.disconnect();
  }
}

interface Figure {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

/** Of a record each. */
export interface IndexRates {
  readonly batch: number;
  readonly table: { readonly announce: Figure; readonly lookup: Figure; readonly bytesPerRecord: number };
  readonly network: { readonly announce: Figure; readonly lookup: Figure };
}

export async function measureRates(): Promise<IndexRates> {
  const table = await measureTable();
  const network = await measureNetwork();
  const figure = ({ recordsPerSecond, cpuMicrosecondsPerRecord }: Rate): Figure => ({
    perSecond: recordsPerSecond,
    cpuMicroseconds: cpuMicrosecondsPerRecord,
  });
  const both = ({ announce, lookup }: { announce: Rate; lookup: Rate }): IndexRates['network'] => ({
    announce: figure(announce),
    lookup: figure(lookup),
  });
  return {
    batch: BATCH,
    table: { ...both(table), bytesPerRecord: table.bytesPerRecord },
    network: both(network),
  };
}
