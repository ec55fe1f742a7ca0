/** @module The other process of rpc-suite.ts: echoes requests, swallows channels, tells its address and CPU time. */
import { countBuffersApart } from '../../cli/garbage-collection.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { utf8 } from '../../src/common/bytes.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';

countBuffersApart();
const network = await createLibp2pNetwork(
  {
    identity: await createIdentity(),
    clock: systemClock,
    random: systemRandom,
    logger: createLogger({ level: 'warn' }),
  },
  { listen: ['/ip4/127.0.0.1/tcp/0'] },
);
network.authorize(() => true);
network.onRequest('control', 'echo', async ({ body }) => body);
network.onRequest('control', 'hang', () => new Promise(() => {}));
network.onRequest('control', 'usage', async () => {
  const { user, system } = process.cpuUsage();
  return utf8(
    JSON.stringify({ cpuSeconds: (user + system) / 1e6, maxRssKib: process.resourceUsage().maxRSS }),
  );
});
network.onChannel('sink', async (channel) => {
  let sizeBytes = 0;
  for await (const piece of channel) sizeBytes += piece.byteLength;
  await channel.write(utf8(String(sizeBytes)));
});
await network.start();
process.send?.({ peer: network.localPeer, addresses: network.addresses() });
process.once('disconnect', () => void network.stop());
