/** @module Our own client process of the rpc suite. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { countBuffersApart } from '../../cli/garbage-collection.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { streamInto } from './channel-stream.ts';
import { obeyOrders } from './ordered-client.ts';

// Both ends are treated as the command treats itself.
countBuffersApart();
const server = fork(new URL('./rpc-server.ts', import.meta.url));
const [home] = (await once(server, 'message')) as [{ peer: string; addresses: string[] }];
const logger = createLogger({ level: 'warn' });
const components = { identity: await createIdentity(), clock: systemClock, random: systemRandom, logger };
const network = await createLibp2pNetwork(components, { listen: [] });
await network.start();
network.learn(home.peer, home.addresses);

obeyOrders(server, {
  stream: (sizeBytes) => streamInto(network, home.peer, sizeBytes),
  call: (body) => network.request(home.peer, 'control', 'echo', body),
  close: () => network.stop(),
});
