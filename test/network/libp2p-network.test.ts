/** @module The real network against the suite, and what only it can do. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { PROBE_BYTE } from '../../src/network/address-probe.ts';
import { TLS_FIRST_BYTE } from '../../src/network/direct-tls.ts';
import { decodeError } from '../../src/network/errors.ts';
import { FrameKind, methodHead } from '../../src/network/frame.ts';
import { Libp2pHost } from '../../src/network/libp2p-host.ts';
import { SEALED_FIRST_BYTE } from '../../src/network/sealed-socket.ts';
import { createIdentity, type Identity } from '../../src/network/identity.ts';
import type { Libp2pHostOptions } from '../../src/network/libp2p-settings.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/libp2p-network.ts';
import { describeNetwork } from './network.suite.ts';

const started: Libp2pNetwork[] = [];

async function startOn(
  identity: Identity,
  options: Partial<Libp2pHostOptions> & { listen: readonly string[] },
): Promise<Libp2pNetwork> {
  const network = await createLibp2pNetwork(
    { identity, clock: systemClock, random: systemRandom, logger: silentLogger },
    options,
  );
  await network.start();
  started.push(network);
  return network;
}

async function stopAll(): Promise<void> {
  for (const network of started.splice(0)) await network.stop();
}

const anyPort = ['/ip4/127.0.0.1/tcp/0'];

describeNetwork('Libp2pNetwork', async () => {
  const homes = new Map<string, { identity: Identity; listen: string[] }>();
  return {
    start: async (name) => {
      const home = homes.get(name) ?? { identity: await createIdentity(), listen: [...anyPort] };
      const network = await startOn(home.identity, home);
      home.listen = [network.addresses()[0]?.split('/p2p/')[0] ?? ''];
      homes.set(name, home);
      return network;
    },
    stopAll,
  };
});

describe('Libp2pNetwork', () => {
  afterEach(stopAll);

  it('rejects what is pending at once when the other process is killed', async () => {
    const server = fork(new URL('../bench/rpc-server.ts', import.meta.url));
    const [home] = (await once(server, 'message')) as [{ peer: string; addresses: string[] }];
    const a = await startOn(await createIdentity(), { listen: [] });
    const gone = Promise.withResolvers<string>();
    a.onPeer({ disconnected: gone.resolve });
    a.learn(home.peer, home.addresses);
    await a.request(home.peer, 'control', 'echo', utf8('x'));
    const channel = await a.open(home.peer, 'sink', utf8(''));
    await channel.write(utf8('x'));
    const pending = a.request(home.peer, 'control', 'hang', utf8(''));
    const killedMs = performance.now();
    server.kill('SIGKILL');
    await expect(pending).rejects.toMatchObject({ code: 'NETWORK_DISCONNECTED', kind: 'unknown' });
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'NETWORK_DISCONNECTED',
    });
    expect(await gone.promise).toBe(home.peer);
    expect(performance.now() - killedMs).toBeLessThan(1000);
  });

  it('names the port that another process has', async () => {
    const first = await startOn(await createIdentity(), { listen: anyPort });
    const taken = first.addresses()[0]?.split('/p2p/')[0] ?? '';
    const port = taken.split('/').at(-1) ?? '';
    await expect(startOn(await createIdentity(), { listen: [taken] })).rejects.toMatchObject({
      code: 'NETWORK_PORT_IN_USE',
      message: expect.stringContaining(port),
      facts: { port },
    });
  });

  it('has addresses that end in its peer id, and announces what it is told to', async () => {
    const identity = await createIdentity();
    const plain = await startOn(identity, { listen: ['/ip4/0.0.0.0/tcp/0'] });
    expect(plain.addresses().length).toBeGreaterThan(0);
    for (const address of plain.addresses()) expect(address).toMatch(new RegExp(`/p2p/${identity.peer}$`));
    const announced = await startOn(await createIdentity(), {
      listen: anyPort,
      announce: ['/dns4/storage.example.org/tcp/4600'],
    });
    expect(announced.addresses()).toEqual([`/dns4/storage.example.org/tcp/4600/p2p/${announced.localPeer}`]);
  });

  it('refuses to take one peer for another, and nonsense for an address', async () => {
    const [a, b] = [
      await startOn(await createIdentity(), { listen: [] }),
      await startOn(await createIdentity(), { listen: anyPort }),
    ];
    const impostor = `${b.addresses()[0]?.split('/p2p/')[0]}/p2p/${(await createIdentity()).peer}`;
    await expect(a.dial(impostor)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
    await expect(a.dial('nonsense')).rejects.toMatchObject({ code: 'NETWORK_BAD_ADDRESS' });
    await expect(a.request('nonsense', 'control', 'x', utf8(''))).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
    });
    expect(await a.dial(b.addresses()[0] ?? '')).toBe(b.localPeer);
  });

  it('gives a stranger, who may join, nothing beside that', async () => {
    const b = await startOn(await createIdentity(), { listen: anyPort });
    b.authorize(() => false);
    b.onRequest('join', 'echo', async ({ body }) => body);
    const opened: string[] = [];
    b.onChannel('block.read', async ({ peer }) => void opened.push(peer));
    const stranger = await Libp2pHost.create(
      { identity: await createIdentity(), logger: silentLogger },
      { listen: [] },
    );
    await stranger.start({
      stream: () => undefined,
      connected: () => undefined,
      disconnected: () => undefined,
      improved: () => undefined,
      addressesChanged: () => undefined,
      admits: async () => true,
    });
    onTestFinished(() => stranger.stop());
    stranger.learn(b.localPeer, b.addresses());
    const stream = await stranger.connect(b.localPeer, 'join', AbortSignal.timeout(5_000));
    const got: unknown[] = [];
    stream.listen({
      frame: (kind, id, _argument, body) =>
        got.push([kind, id, kind === FrameKind.abort ? decodeError(body).code : fromUtf8(body)]),
      closed: () => undefined,
    });
    stream.send(FrameKind.open, 1, 60_000, methodHead('block.read'), utf8(''));
    stream.send(FrameKind.request, 2, 60_000, methodHead('echo'), utf8('let me in'));
    await expect
      .poll(() => got)
      .toEqual([
        [FrameKind.abort, 1, 'NETWORK_NO_SUCH_METHOD'],
        [FrameKind.response, 2, 'let me in'],
      ]);
    expect(opened).toEqual([]);
  });

  it.each([
    ['nothing', []],
    ['the first byte of TLS', [TLS_FIRST_BYTE]],
    ['the first byte of sealed records', [SEALED_FIRST_BYTE]],
    ['the first byte of libp2p', [19]],
  ])('closes at once though somebody came who has said %s', async (_what, bytes) => {
    const logged: string[] = [];
    const logger: Logger = { ...silentLogger, debug: (event) => void logged.push(event) };
    const identity = await createIdentity();
    const collaborators = { clock: systemClock, random: systemRandom, logger };
    const network = await createLibp2pNetwork({ identity, ...collaborators }, { listen: anyPort });
    await network.start();
    const port = Number(/tcp\/(\d+)/.exec(network.addresses()[0] ?? '')?.[1]);
    const open = async (first: readonly number[]): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write(Uint8Array.from(first));
      return socket;
    };
    const socket = await open(bytes);
    // Whoever comes later is answered later: by then the first one is known.
    await once(await open([PROBE_BYTE]), 'data');
    const ended = once(socket.resume(), 'close', { signal: AbortSignal.timeout(10_000) });
    await network.stop();
    expect(logged).not.toContain('network.not-closed');
    await ended;
  });

  it('keeps strangers out of a guarded protocol of another service', async () => {
    const protocol = '/test/kad/1';
    const dht = (): ((components: never) => unknown) =>
      kadDHT({
        protocol,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
      }) as never;
    const options = { listen: anyPort, services: { dht: dht() as never }, guardedProtocols: [protocol] };
    const a = await startOn(await createIdentity(), { ...options, services: { dht: dht() as never } });
    const b = await startOn(await createIdentity(), options);
    const asked: string[] = [];
    let isMember = false;
    b.authorize((peer) => {
      asked.push(peer);
      return isMember;
    });
    await a.dial(b.addresses()[0] ?? '');
    const query = async (): Promise<string[]> => {
      const names: string[] = [];
      const signal = AbortSignal.timeout(3000);
      const key = new Uint8Array(32);
      for await (const event of a.service<KadDHT>('dht').getClosestPeers(key, { signal }))
        names.push(event.name);
      return names;
    };
    await expect.poll(async () => (await query()).includes('QUERY_ERROR'), { timeout: 5000 }).toBe(true);
    expect(asked).toContain(a.localPeer);
    isMember = true;
    await expect.poll(async () => (await query()).includes('PEER_RESPONSE'), { timeout: 5000 }).toBe(true);
  });
});
