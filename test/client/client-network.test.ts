/** @module A client that comes back: with its ticket it needs no libp2p; without, or with one that is not taken, it does. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openClientNetwork } from '../../src/client/client-network.ts';
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { createIdentity, type Identity } from '../../src/network/identity.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/libp2p-network.ts';
import type { Network } from '../../src/network/network.ts';
import { ALONE_MS } from '../../src/network/ticket-transport.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** To load libp2p on a machine that is busy takes more than the second that waitFor() gives by itself. */
const PATIENCE = { timeout: 10_000 };

const components = { clock: systemClock, random: systemRandom, logger: silentLogger };

interface Server {
  readonly network: Libp2pNetwork;
  /** Whether clients are members. */
  admits: boolean;
}

async function startServer(identity: Identity, port = 0): Promise<Server> {
  const network = await createLibp2pNetwork(
    { ...components, identity },
    { listen: [`/ip4/127.0.0.1/tcp/${port}`] },
  );
  const server: Server = { network, admits: true };
  network.authorize(() => server.admits);
  network.onRequest('control', 'echo', async ({ peer, body }) => utf8(`${peer}: ${fromUtf8(body)}`));
  await network.start();
  endings.push(() => network.stop());
  return server;
}

async function makeProfile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-profile-'));
  endings.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openClient(
  profileDir: string,
  { network }: Server,
  clock: Clock = systemClock,
): Promise<Network> {
  const client = await openClientNetwork(profileDir, { ...components, clock });
  endings.push(() => client.stop());
  client.learn(network.localPeer, network.addresses());
  return client;
}

async function echo(client: Network, { network }: Server): Promise<string> {
  return fromUtf8(await client.request(network.localPeer, 'control', 'echo', utf8('hello')));
}

/** One whole command. */
async function run(profileDir: string, server: Server): Promise<string> {
  const client = await openClient(profileDir, server);
  const answer = await echo(client, server);
  await client.stop();
  return answer;
}

it('a second command is known by its ticket, and makes no libp2p connection', async () => {
  const server = await startServer(await createIdentity());
  const profileDir = await makeProfile();
  const first = await run(profileDir, server);
  await vi.waitFor(() => expect(server.network.connectedPeers()).toEqual([]), PATIENCE);
  let connections = 0;
  server.network.onPeer({ connected: () => void (connections += 1) });
  const client = await openClient(profileDir, server);
  expect(await echo(client, server)).toBe(first);
  expect(first).toBe(`${client.localPeer}: hello`);
  expect(connections).toBe(0);
});

it('a ticket lets nobody in who is no member any more', async () => {
  const server = await startServer(await createIdentity());
  const profileDir = await makeProfile();
  await run(profileDir, server);
  server.admits = false;
  await expect(run(profileDir, server)).rejects.toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });
});

it('with a ticket of an earlier run of the node it proves anew who it is, and is given another', async () => {
  const identity = await createIdentity();
  const before = await startServer(identity);
  const profileDir = await makeProfile();
  const answer = await run(profileDir, before);
  const old = await readFile(join(profileDir, 'tickets.json'), 'utf8');
  const port = Number(/tcp\/(\d+)/.exec(before.network.addresses()[0] ?? '')?.[1]);
  await before.network.stop();
  const after = await startServer(identity, port);
  expect(await run(profileDir, after)).toBe(answer);
  expect(await readFile(join(profileDir, 'tickets.json'), 'utf8')).not.toBe(old);
});

it('whoever stays for longer moves over to libp2p, and what it asks meanwhile is answered', async () => {
  const server = await startServer(await createIdentity());
  const profileDir = await makeProfile();
  await run(profileDir, server);
  const timers: (() => void)[] = [];
  const client = await openClient(profileDir, server, {
    ...systemClock,
    after: (delayMs, callback) => {
      if (delayMs === ALONE_MS) timers.push(callback);
      return systemClock.after(delayMs, callback);
    },
  });
  await echo(client, server);
  expect(client.isConnected(server.network.localPeer)).toBe(false);
  for (const elapsed of timers) elapsed();
  await vi.waitFor(async () => {
    expect(await echo(client, server)).toContain('hello');
    expect(client.isConnected(server.network.localPeer)).toBe(true);
  }, PATIENCE);
});

it('a profile with a new key comes as the new peer, not with the tickets of the old one', async () => {
  const server = await startServer(await createIdentity());
  const profileDir = await makeProfile();
  const before = await run(profileDir, server);
  await rm(join(profileDir, 'key'));
  const client = await openClient(profileDir, server);
  expect(await echo(client, server)).toBe(`${client.localPeer}: hello`);
  expect(before).not.toContain(client.localPeer);
});

it('a profile whose tickets cannot be read is as good as one without', async () => {
  const server = await startServer(await createIdentity());
  const profileDir = await makeProfile();
  await run(profileDir, server);
  await writeFile(join(profileDir, 'tickets.json'), '[{"peer": 5}, null');
  expect(await run(profileDir, server)).toContain('hello');
  expect(existsSync(join(profileDir, 'tickets.json'))).toBe(true);
});
