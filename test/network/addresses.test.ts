/** @module Peers with several addresses, of both families, some of which lead nowhere. */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity } from '../../src/network/identity.ts';
import type { Libp2pHostOptions } from '../../src/network/libp2p-settings.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/libp2p-network.ts';
import { fixPorts } from '../../src/node/listen-address.ts';

const running: Libp2pNetwork[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((network) => network.stop()));
});

async function open(options: Libp2pHostOptions): Promise<Libp2pNetwork> {
  const identity = await createIdentity();
  const parts = { identity, clock: systemClock, random: systemRandom, logger: silentLogger };
  const network = await createLibp2pNetwork(parts, options);
  running.push(network);
  network.authorize(() => true);
  network.onRequest('control', 'echo', async ({ body }) => body);
  network.onChannel('sink', async (channel) => {
    let bytes = 0;
    for await (const chunk of channel) bytes += chunk.byteLength;
    await channel.write(Buffer.from(String(bytes)));
    await channel.end();
  });
  await network.start();
  return network;
}

async function bulkTo(network: Libp2pNetwork, peer: string): Promise<string> {
  const channel = await network.open(peer, 'sink', new Uint8Array(0));
  await channel.write(Buffer.alloc(100_000));
  await channel.end();
  let text = '';
  for await (const chunk of channel) text += Buffer.from(chunk).toString();
  return text;
}

/** Reserved for documentation (RFC 5737): nobody is there. */
const NOWHERE = '/ip4/192.0.2.1/tcp/4600';

describe('a peer', () => {
  it('listens on one port of both families, and is called over IPv6 alone, bulk too', async () => {
    const [everywhere = ''] = await fixPorts(['/ip4/0.0.0.0/tcp/0']);
    const port = everywhere.split('/').at(-1);
    const server = await open({ listen: [everywhere, `/ip6/::/tcp/${port}`] });
    // It can be dialled there, but whoever is on this machine has another address of it.
    expect(server.addresses().filter((address) => address.startsWith('/ip6/::1/'))).toEqual([]);
    const client = await open({ listen: [] });
    client.learn(server.localPeer, [`/ip6/::1/tcp/${port}`]);
    const answer = await client.request(server.localPeer, 'control', 'echo', Uint8Array.of(7));
    expect([...answer]).toEqual([7]);
    expect(await bulkTo(client, server.localPeer)).toBe('100000');
  });

  it('announces several addresses, and is reached though only one of them leads to it', async () => {
    const listen = await fixPorts(['/ip4/127.0.0.1/tcp/0']);
    const server = await open({ listen, announce: [NOWHERE, '/ip6/100::1/tcp/4600', ...listen] });
    expect(server.addresses()).toHaveLength(3);
    const client = await open({ listen: [] });
    client.learn(server.localPeer, server.addresses());
    expect(await bulkTo(client, server.localPeer)).toBe('100000');
  });

  it('is found where it is by now, though what was known before leads to somebody else', async () => {
    const [before, server] = await Promise.all([
      open({ listen: ['/ip4/127.0.0.1/tcp/0'] }),
      open({ listen: ['/ip4/127.0.0.1/tcp/0'] }),
    ]);
    const client = await open({ listen: [] });
    const place = before.addresses()[0]?.split('/p2p/')[0] ?? '';
    client.learn(server.localPeer, server.addresses());
    client.learn(server.localPeer, [place]);
    const answer = await client.request(server.localPeer, 'control', 'echo', Uint8Array.of(7));
    expect([...answer]).toEqual([7]);
  });
});
