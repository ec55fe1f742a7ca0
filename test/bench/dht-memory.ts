/** @module One holder with millions of records in a process of its own: resident bytes of each, and how long lookups take. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { call } from '../../src/network/method.ts';
import { ANNOUNCE, LOOKUP } from '../../src/protocol/methods.ts';
import { percentile } from './statistics.ts';

const BATCH = 4_096;
const LOOKUPS = 5_000;
const HASHES_PER_LOOKUP = 16;
const HASH_BYTES = 32;
const NODES = 100;

export interface IndexMemory {
  readonly records: number;
  readonly residentBytesPerRecord: number;
  readonly lookupHashes: number;
  readonly lookupP50Ms: number;
  readonly lookupP99Ms: number;
}

/** Blocks of one copy each: what costs most a record. */
export async function measureMemory(records: number): Promise<IndexMemory> {
  const child = fork(new URL('./dht-rates-holder.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  const [holder] = (await once(child, 'message')) as [{ peer: string; addresses: string[] }];
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
  network.learn(holder.peer, holder.addresses);
  const resident = async (): Promise<number> => {
    child.send('memory');
    return ((await once(child, 'message')) as [{ rss: number }])[0].rss;
  };
  try {
    await announce(1, Buffer.alloc(0));
    const before = await resident();
    const samples: Buffer[] = [];
    for (let done = 0, sequence = 2; done < records; done += BATCH, sequence++) {
      const added = randomBytes(BATCH * HASH_BYTES);
      samples.push(added.subarray(0, HASH_BYTES));
      await announce(sequence, added);
    }
    const after = await resident();
    const latencies: number[] = [];
    for (let each = 0; each < LOOKUPS; each++) {
      const hashes = Buffer.concat(
        Array.from(
          { length: HASHES_PER_LOOKUP },
          (_, at) => samples[(each * 31 + at * 997) % samples.length] ?? Buffer.alloc(0),
        ),
      );
      const startMs = performance.now();
      const { counts } = await call(network, holder.peer, LOOKUP, { hashes, epoch: 1 });
      latencies.push(performance.now() - startMs);
      if (counts.some((count) => count === 0)) throw new Error('an announced record was not found');
    }
    return {
      records,
      residentBytesPerRecord: Math.round((after - before) / records),
      lookupHashes: HASHES_PER_LOOKUP,
      lookupP50Ms: percentile(latencies, 0.5),
      lookupP99Ms: percentile(latencies, 0.99),
    };
  } finally {
    await network.stop();
    child.disconnect();
  }

  async function announce(sequence: number, added: Buffer): Promise<void> {
    const node = 1 + (sequence % NODES);
    const batch = { node, generation: 1, sequence, added, removed: Buffer.alloc(0), whole: [], epoch: 1 };
    await call(network, holder.peer, ANNOUNCE, batch, { timeoutMs: 30_000 });
  }
}
