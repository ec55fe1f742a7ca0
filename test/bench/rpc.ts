/** @module Rate of small calls and of one channel between two processes over loopback. Run: node test/bench/rpc.ts [--json] */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { collectBuffersApart } from '../../cli/garbage-collection.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { fromUtf8, MIB, utf8 } from '../../src/common/bytes.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { streamInto } from './channel-stream.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import type { Network, PeerId } from '../../src/network/network.ts';

const BODY_BYTES = 200;
const IN_FLIGHT = 64;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 4_000;
const CHANNEL_BYTES: number = 1024 * MIB;

interface Usage {
  readonly cpuSeconds: number;
  readonly maxRssKib: number;
}

interface Sample {
  readonly seconds: number;
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number;
}

async function callFor(network: Network, peer: PeerId, durationMs: number): Promise<number> {
  const body = new Uint8Array(BODY_BYTES).fill(7);
  const endMs = performance.now() + durationMs;
  let calls = 0;
  const caller = async (): Promise<void> => {
    for (; performance.now() < endMs; calls += 1) await network.request(peer, 'control', 'echo', body);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return calls;
}

async function remoteUsage(network: Network, peer: PeerId): Promise<Usage> {
  return JSON.parse(fromUtf8(await network.request(peer, 'control', 'usage', utf8(''))));
}

async function measure(network: Network, peer: PeerId, work: () => Promise<void>): Promise<Sample> {
  const [remote, cpu, startedMs] = [await remoteUsage(network, peer), process.cpuUsage(), performance.now()];
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const serverCpuSeconds = (await remoteUsage(network, peer)).cpuSeconds - remote.cpuSeconds;
  return { seconds, clientCpuSeconds: (user + system) / 1e6, serverCpuSeconds };
}

// Both ends are treated as the command treats itself.
collectBuffersApart();
const server = fork(new URL('./rpc-server.ts', import.meta.url));
const [home] = (await once(server, 'message')) as [{ peer: PeerId; addresses: string[] }];
const client = await createLibp2pNetwork(
  {
    identity: await createIdentity(),
    clock: systemClock,
    random: systemRandom,
    logger: createLogger({ level: 'warn' }),
  },
  { listen: [] },
);
await client.start();
client.learn(home.peer, home.addresses);

await callFor(client, home.peer, WARM_UP_MS);
let calls = 0;
const rpc = await measure(client, home.peer, async () => {
  calls = await callFor(client, home.peer, MEASURED_MS);
});
await streamInto(client, home.peer, CHANNEL_BYTES / 8);
const channel = await measure(client, home.peer, () => streamInto(client, home.peer, CHANNEL_BYTES));
const { maxRssKib } = await remoteUsage(client, home.peer);

const result = {
  rpc: { ...rpc, bodyBytes: BODY_BYTES, inFlight: IN_FLIGHT, calls, callsPerSecond: calls / rpc.seconds },
  channel: {
    ...channel,
    sizeBytes: CHANNEL_BYTES,
    megabytesPerSecond: CHANNEL_BYTES / 1e6 / channel.seconds,
  },
  maxRssMib: { client: process.resourceUsage().maxRSS / 1024, server: maxRssKib / 1024 },
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else console.dir(result);
await client.stop();
server.disconnect();
