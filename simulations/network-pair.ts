/** @module Two peers on a network in memory that hear each other, for one scenario. */
import { systemClock } from '../src/common/clock.ts';
import { silentLogger } from '../src/common/logger.ts';
import { MemoryNetwork, MemorySwitch } from '../src/network/memory-network.ts';
import { peerOf } from './cluster/founding.ts';
import { SeededRandom } from './world/seeded-random.ts';

export interface NetworkPair extends AsyncDisposable {
  /** Peers 1 and 2 (founding.ts peerOf). */
  readonly first: MemoryNetwork;
  readonly second: MemoryNetwork;
}

/** For `await using`; both are started. */
export async function networkPair(): Promise<NetworkPair> {
  const links = new MemorySwitch({ clock: systemClock });
  const [first, second] = [peer(links, 1), peer(links, 2)];
  for (const network of [first, second]) {
    network.authorize(() => true);
    await network.start();
  }
  return {
    first,
    second,
    [Symbol.asyncDispose]: async () => {
      for (const network of [first, second]) await network.stop();
    },
  };
}

function peer(links: MemorySwitch, number: number): MemoryNetwork {
  const random = new SeededRandom(number, 'network');
  const components = { switch: links, clock: systemClock, random, logger: silentLogger };
  return new MemoryNetwork(components, { peer: peerOf(number) });
}
