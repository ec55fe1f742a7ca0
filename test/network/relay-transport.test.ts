/** @module Places on relays: taken again when the relay, or the way to it, was gone for a while. */
import { once } from 'node:events';
import { type CircuitRelayService, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity, type Identity } from '../../src/network/identity.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { libp2pSettings } from '../../src/network/libp2p-settings.ts';
import { RelayTransport } from '../../src/network/relay-transport.ts';

const hosts: Libp2p[] = [];
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.stop())));

async function startHost(identity: Identity, isRelay: boolean): Promise<[Libp2p, RelayTransport]> {
  const relays = new RelayTransport();
  const hooks = {
    shared: () => undefined,
    direct: () => undefined,
    closing: new AbortController().signal,
    relays,
    discovery: [],
  };
  const options = { listen: ['/ip4/127.0.0.1/tcp/0'], isRelay };
  const host = await createLibp2p(libp2pSettings(identity, options, hooks));
  hosts.push(host);
  await host.start();
  return [host, relays];
}

it('a place is taken on a relay that gave none before', async () => {
  const identity = await createIdentity();
  const [host, relays] = await startHost(await createIdentity(), false);
  const [early] = await startHost(identity, false);
  await host.dial(early.getMultiaddrs());
  await expect(relays.reserve(identity.peer)).rejects.toThrow('Protocol selection failed');
  await early.stop();
  const [late] = await startHost(identity, true);
  await host.dial(late.getMultiaddrs());
  await relays.reserve(identity.peer);
  expect(relays.hasPlace(identity.peer)).toBe(true);
});

it.each([false, true])(
  'who brings a connection is a relay only when it is a member (%s)',
  async (isMember) => {
    const collaborators = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const network = await createLibp2pNetwork(
      { identity: await createIdentity(), ...collaborators },
      { listen: ['/ip4/127.0.0.1/tcp/0'] },
    );
    network.authorize(() => isMember);
    await network.start();
    onTestFinished(() => network.stop());
    const [stranger] = await startHost(await createIdentity(), true);
    const { reservations } = stranger.services['relay'] as unknown as CircuitRelayService;
    const stream = await stranger.dialProtocol(multiaddr(network.addresses()[0] ?? ''), RELAY_V2_STOP_CODEC);
    if (isMember) return expect.poll(() => reservations.size, { timeout: 10_000 }).toBe(1);
    if (stream.status === 'open')
      await once(stream as unknown as EventTarget, 'close', { signal: AbortSignal.timeout(10_000) });
    expect(stream.status).toBe('reset');
    expect(reservations.size).toBe(0);
  },
);
