/** @module What this machine's disk and network allow, for copies of blocks: measured the way datanodes use them. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MIB } from '../../../src/common/bytes.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { createLogger } from '../../../src/common/logger.ts';
import { systemRandom } from '../../../src/common/random.ts';
import { createIdentity } from '../../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../../src/network/libp2p-network.ts';
import { streamInto } from '../channel-stream.ts';

const BLOCK_BYTES: number = 8 * MIB;
const BLOCKS = 48;
const WRITERS = 4;
const STREAM_BYTES: number = 256 * MIB;

export interface CopyLimits {
  /** Files of one block each, written and synced by several at once, MiB a second. */
  readonly diskMibPerS: number;
  /** One channel between two processes, encrypted as all are, MiB a second. */
  readonly networkMibPerS: number;
}

/** Call while the cluster has nothing to do. */
export async function copyLimits(directory: string): Promise<CopyLimits> {
  return { diskMibPerS: await diskRate(directory), networkMibPerS: await networkRate() };
}

async function diskRate(parent: string): Promise<number> {
  const directory = join(parent, 'disk-rate');
  await mkdir(directory);
  const block = Buffer.alloc(BLOCK_BYTES, 7);
  let next = 0;
  const startMs = performance.now();
  const writer = async (): Promise<void> => {
    while (next < BLOCKS) {
      await using file = await open(join(directory, String(next++)), 'w');
      await file.writeFile(block);
      await file.sync();
      await using names = await open(directory, 'r');
      await names.sync();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  const seconds = (performance.now() - startMs) / 1000;
  await rm(directory, { recursive: true });
  return (BLOCKS * BLOCK_BYTES) / MIB / seconds;
}

async function networkRate(): Promise<number> {
  const server = fork(new URL('../rpc-server.ts', import.meta.url));
  const [home] = (await once(server, 'message')) as [{ peer: string; addresses: string[] }];
  const logger = createLogger({ level: 'warn' });
  const components = { identity: await createIdentity(), clock: systemClock, random: systemRandom, logger };
  const network = await createLibp2pNetwork(components, { listen: [] });
  await network.start();
  try {
    network.learn(home.peer, home.addresses);
    await streamInto(network, home.peer, STREAM_BYTES / 8);
    const startMs = performance.now();
    await streamInto(network, home.peer, STREAM_BYTES);
    return STREAM_BYTES / MIB / ((performance.now() - startMs) / 1000);
  } finally {
    await network.stop();
    server.disconnect();
  }
}
