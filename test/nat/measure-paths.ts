/**
 * @module `npm run measure:nat`: how clients behind NAT reach datanodes behind other NATs ten seconds after they began to read, and how
 * fast: over a hole, over a relay, and, to compare, from a machine that dials them nowhere near a NAT. Needs root, iproute2 and
 * nftables.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../e2e/support/eventually.ts';
import { Machine } from '../e2e/support/machine.ts';
import { NatWorld, whyNoNatWorld } from '../e2e/support/nat-world.ts';

const READER = fileURLToPath(new URL('reader-program.ts', import.meta.url));
const FILE_BYTES = 32 * 2 ** 20;
const READ_SECONDS = 10;
const LIMIT_MS = 120_000;

interface Reading {
  readonly paths: readonly string[];
  readonly mebibytesPerSecond: number;
}

const why = await whyNoNatWorld();
if (why !== undefined) throw new Error(why);
const run = promisify(execFile);
const root = await mkdtemp(join(tmpdir(), 'holdfast-nat-paths-'));
const world = await NatWorld.create(3);
const machines: Machine[] = [];

async function machineIn(name: string, namespace: string): Promise<Machine> {
  const machine = await Machine.create(root, name, namespace);
  machines.push(machine);
  return machine;
}

async function enrolled(name: string, namespace: string, token: string): Promise<readonly [Machine, string]> {
  const machine = await machineIn(name, namespace);
  const { status, stderr } = await machine.type('connect', token);
  if (status !== 0) throw new Error(stderr);
  return [machine, namespace];
}

async function read([machine, namespace]: readonly [Machine, string]): Promise<Reading> {
  const profileDir = join(machine.home, '.holdfast', 'client');
  const words = [READER, profileDir, '/large', String(READ_SECONDS)];
  const { stdout } = await run('ip', ['netns', 'exec', namespace, process.execPath, ...words]);
  return JSON.parse(stdout) as Reading;
}

/** Namespaces outlive the process that made them. */
async function cleanUp(): Promise<void> {
  await Promise.all(machines.map((machine) => machine.turnOff()));
  await world.destroy();
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));

try {
  const [a, b, keeps, draws] = [
    await world.addPrivateNetwork('a', 10),
    await world.addPrivateNetwork('b', 20),
    await world.addPrivateNetwork('k', 30),
    await world.addPrivateNetwork('d', 40, { randomPorts: true }),
  ];
  const founder = await machineIn('founder', world.public);
  const listen = (host: number): readonly string[] => ['--listen', `/ip4/198.51.77.${host}/tcp/4600`];
  const init = ['--role', 'meta', '--replication', '2', '--host', 'founder', ...listen(1)];
  const { token } = await founder.ask<{ token: string }>('cluster', 'init', ...init);
  await founder.run('node', 'start');
  const enter = async (name: string, namespace: string, ...words: readonly string[]): Promise<void> => {
    const machine = await machineIn(name, namespace);
    await machine.run('cluster', 'join', token, '--role', 'data', '--host', name, ...words, '--start');
  };
  await Promise.all([enter('a', a.machine), enter('b', b.machine)]);
  await writeFile(join(founder.home, 'large'), randomBytes(FILE_BYTES));
  await eventually('the file is stored on both', LIMIT_MS, async () => {
    const { status } = await founder.type('put', 'large', '/large', '--ack', 'all');
    return status === 0 ? true : undefined;
  });
  const clients = {
    'behind a NAT that keeps ports': await enrolled('keeps', keeps.machine, token),
    'behind a NAT that draws ports by lot': await enrolled('draws', draws.machine, token),
    'behind no NAT': await enrolled('public', world.public, token),
  };
  for (const [name, client] of Object.entries(clients)) {
    const load = loadavg()[0]?.toFixed(1);
    console.log(JSON.stringify({ client: name, ...(await read(client)), load }));
  }
} finally {
  await cleanUp();
}
