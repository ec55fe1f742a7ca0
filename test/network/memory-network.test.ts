/** @module The memory twin against the suite, and what only its switch can do. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { systemRandom } from '../../src/common/random.ts';
import { utf8 } from '../../src/common/bytes.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { describeNetwork } from './network.suite.ts';

const collaborators = { clock: systemClock, random: systemRandom };

async function startOn(home: MemorySwitch, peer: string): Promise<MemoryNetwork> {
  const network = new MemoryNetwork({ switch: home, ...collaborators }, { peer });
  network.authorize(() => true);
  await network.start();
  return network;
}

for (const latencyMs of [0, 1])
  describeNetwork(`MemoryNetwork with ${latencyMs} ms of latency`, async () => {
    const home = new MemorySwitch({ clock: systemClock }, { latencyMs });
    const started: MemoryNetwork[] = [];
    return {
      start: async (name) => {
        const network = await startOn(home, `peer-${name}`);
        started.push(network);
        return network;
      },
      stopAll: async () => void (await Promise.all(started.map((network) => network.stop()))),
    };
  });

describe('MemorySwitch', () => {
  it('breaks what is pending over a cut link, refuses new calls, and serves again once healed', async () => {
    const home = new MemorySwitch({ clock: systemClock });
    const [a, b] = await Promise.all([startOn(home, 'a'), startOn(home, 'b')]);
    const events: string[] = [];
    b.onPeer({
      connected: (peer) => events.push(`+${peer}`),
      disconnected: (peer) => events.push(`-${peer}`),
    });
    b.onRequest('control', 'hang', ({ body }) =>
      body.byteLength > 0 ? Promise.resolve(body) : new Promise(() => {}),
    );
    await a.request('b', 'control', 'hang', utf8('x'));
    const pending = expect(a.request('b', 'control', 'hang', utf8(''))).rejects.toMatchObject({
      code: 'NETWORK_DISCONNECTED',
    });
    home.cut('a', 'b');
    await pending;
    await expect(a.request('b', 'control', 'hang', utf8('x'))).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
    });
    home.heal('a', 'b');
    await b.dial(a.addresses()[0] ?? '');
    await a.request('b', 'control', 'hang', utf8('x'));
    expect(events).toEqual(['+a', '-a', '+a']);
  });
});
