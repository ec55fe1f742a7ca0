/** @module What the local network offers: a router that opens a port when it is asked, and multicast. In real network namespaces. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/support/eventually.ts';
import { Machine } from '../e2e/support/machine.ts';
import { NatWorld, type PrivateNetwork, whyNoNatWorld } from '../e2e/support/nat-world.ts';

const GATEWAY = fileURLToPath(new URL('gateway-program.ts', import.meta.url));
const LIMIT_MS = 60_000;

const why = await whyNoNatWorld();
if (why !== undefined) console.warn(`SKIPPED: tests with a local network: ${why}`);

describe.skipIf(why !== undefined)('in a local network', () => {
  let root: string;
  let world: NatWorld;
  const machines: Machine[] = [];
  const gateways: ChildProcess[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-local-'));
    world = await NatWorld.create(1);
  });
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.turnOff()));
    for (const gateway of gateways) gateway.kill('SIGKILL');
    await world.destroy();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  });

  const machineIn = async (name: string, namespace: string): Promise<Machine> => {
    const machine = await Machine.create(root, name, namespace);
    machines.push(machine);
    return machine;
  };
  const found = (machine: Machine, ...words: readonly string[]): Promise<{ token: string }> =>
    machine.ask('cluster', 'init', '--role', 'meta', '--replication', '1', ...words);

  /** Runs a router that can be asked; what it says, line by line. */
  async function openGateway({ router, publicAddress }: PrivateNetwork): Promise<string[]> {
    const words = ['netns', 'exec', router, process.execPath, GATEWAY, publicAddress, '10.0.0.1'];
    const gateway = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    gateways.push(gateway);
    const said: string[] = [];
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
    await once(gateway.stdout, 'data');
    return said;
  }

  it('has its router open a port when nobody can dial it, tells of it, and closes it when it stops', async () => {
    const network = await world.addPrivateNetwork('u', 60);
    const said = await openGateway(network);
    const founder = await machineIn('founder', world.public);
    const { token } = await found(founder, '--listen', '/ip4/198.51.77.1/tcp/4600');
    await founder.run('node', 'start');
    const home = await machineIn('home', network.machine);
    const node = await home.run('cluster', 'join', token, '--role', 'data', '--start');
    await eventually('the port is open', LIMIT_MS, () => (said.at(-1) === '[4600]' ? true : undefined));
    const members = await eventually('the port is told, and no relay any more', LIMIT_MS, async () => {
      const text = (await founder.type('cluster', 'status', '--json')).stdout;
      const isTold = text.includes(`/ip4/${network.publicAddress}/tcp/4600`);
      return isTold && !text.includes('p2p-circuit') ? text : undefined;
    });
    expect(members).toContain('10.0.0.2');
    await node.end('SIGTERM');
    // The router may say it a moment after the node has ended.
    await eventually('the port is closed', LIMIT_MS, () => (said.at(-1) === '[]' ? true : undefined));
  });

  it('a datanode, and a client, find a metadata node by multicast when both have other addresses than before, and goes on when its own changes again', async () => {
    const [first, second] = await Promise.all([world.addLocalMachine('1', 1), world.addLocalMachine('2', 2)]);
    const founder = await machineIn('local-founder', first);
    const home = await machineIn('local-home', second);
    const listen = (host: number): readonly string[] => ['--listen', `/ip4/10.9.0.${host}/tcp/4600`];
    const { token } = await found(founder, ...listen(1));
    const founding = await founder.run('node', 'start', '--mdns');
    const connected = await founder.type('connect', token, '--mdns', '--profile', 'guest');
    expect(connected.status, connected.stderr).toBe(0);
    const node = await home.run(
      'cluster',
      'join',
      token,
      '--role',
      'data',
      ...listen(2),
      '--start',
      '--mdns',
    );
    const peers = (): Promise<string> => readFile(join(home.nodeDirectory, 'peers.json'), 'utf8');
    await eventually('it is registered', LIMIT_MS, async () =>
      (await peers()).includes('10.9.0.1/') ? true : undefined,
    );
    await Promise.all([founding.end('SIGTERM'), node.end('SIGTERM')]);
    await Promise.all([world.moveLocalMachine(first, 7), world.moveLocalMachine(second, 8)]);
    await founder.run('node', 'start', ...listen(7));
    await home.run('node', 'start', '--listen', '/ip4/0.0.0.0/tcp/4600');
    await eventually('it has found it', LIMIT_MS, async () =>
      (await peers()).includes('10.9.0.7/') ? true : undefined,
    );
    const listed = await founder.type('ls', '/', '--profile', 'guest');
    expect(listed.status, listed.stderr).toBe(0);
    // Another lease, while it runs and listens on all addresses that the machine has.
    await world.moveLocalMachine(second, 9);
    const known = (): Promise<string> => readFile(join(founder.nodeDirectory, 'peers.json'), 'utf8');
    await eventually('its new address is told', LIMIT_MS, async () =>
      (await known()).includes('10.9.0.9/') ? true : undefined,
    );
  });
});
