/** @module What a metadata node says of a peer that it was asked to dial. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { afterEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { DialBack, type DialBackComponents } from '../../src/network/dial-back.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]())));

/** Somebody's port: takes connections, and says nothing. */
async function listeningPort(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const port = await listeningPort();
  await servers.pop()?.[Symbol.asyncDispose]();
  return port;
}

/** Nobody proves who it is at any address. */
const never: DialBackComponents['dial'] = (_address, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

async function verdict(ports: readonly number[], dial: DialBackComponents['dial']): Promise<boolean> {
  const { peer } = await createIdentity();
  const [ours, theirs] = memoryStreamPair((deliver) => queueMicrotask(deliver));
  new DialBack({ dial, hasDialled: () => false, logger: silentLogger }).serve(peer, theirs);
  const addresses = ports.map((port) => multiaddr(`/ip4/127.0.0.1/tcp/${port}/p2p/${peer}`));
  return new DialBack({ dial: never, hasDialled: () => false, logger: silentLogger }).ask(
    peer,
    ours,
    addresses,
  );
}

it('says yes of one that it reaches, and no of one at whose addresses others are, or nobody', async () => {
  const connection = {} as Connection;
  const port = await listeningPort();
  expect(await verdict([port], async () => connection)).toBe(true);
  const another = (): Promise<Connection> => Promise.reject(new Error('it is another peer'));
  expect(await verdict([port], another)).toBe(false);
});

it('says nothing of one that is there and only takes too long, but no where nobody takes a connection', async () => {
  const [here, gone, others] = [await listeningPort(), await closedPort(), await listeningPort()];
  const isOthers = (address: Multiaddr): boolean => address.toString().includes(`/${others}/`);
  const dial: DialBackComponents['dial'] = (address, signal) =>
    isOthers(address) ? Promise.reject(new Error('it is another peer')) : never(address, signal);
  await Promise.all([
    expect(verdict([gone, here], never)).rejects.toThrow(),
    expect(verdict([gone], never)).resolves.toBe(false),
    expect(verdict([others, gone], dial)).resolves.toBe(false),
  ]);
});
