/** @module The other process of dht-rates.ts and dht-memory.ts: one holder of every shard, answering over the real network. */
import { lonelyHolder } from './lonely-holder.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { serve } from '../../src/network/method.ts';
import { ANNOUNCE, COMPARE, INDEX_STATUS, LOOKUP } from '../../src/protocol/methods.ts';

const network = await createLibp2pNetwork(
  {
    identity: await createIdentity(),
    clock: systemClock,
    random: systemRandom,
    logger: createLogger({ level: 'warn' }),
  },
  { listen: ['/ip4/127.0.0.1/tcp/0'] },
);
const { server, status } = lonelyHolder(network.localPeer);
network.authorize(() => true);
serve(network, ANNOUNCE, async (request) => server.announce(request.node, request));
serve(network, LOOKUP, async (request) => server.lookup(request));
serve(network, COMPARE, async (request) => server.compare(request.node, request));
serve(network, INDEX_STATUS, async () => status());
await network.start();
process.send?.({ peer: network.localPeer, addresses: network.addresses() });
process.once('disconnect', () => void network.stop());
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({ rss: process.memoryUsage().rss, cpuMicroseconds: user + system });
});
