/** @module Places on relays: taken again when the relay, or the way to it, was gone for a while. */
import type { Libp2p } from '@libp2p/interface';
import { createLibp2p } from 'libp2p';
import { afterEach, expect, it } from 'vitest';
import { createIdentity, type Identity } from '../../src/network/identity.ts';
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
