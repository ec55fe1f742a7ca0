/**
 * @module Nodes and clients behind real NATs: routers that masquerade and let nobody in. Datanodes A and B are behind routers that
 * keep ports, as is the client K; the client C is behind one that draws them by lot (no hole can be punched to it), and the founder behind
 * one that forwards a port to it.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/support/eventually.ts';
import { Machine, type RunningCommand } from '../e2e/support/machine.ts';
import { NatWorld, type PrivateNetwork, whyNoNatWorld } from '../e2e/support/nat-world.ts';

const READER = fileURLToPath(new URL('reader-program.ts', import.meta.url));
const MIB = 1024 * 1024;
/** Long enough over a relay to be cut in the middle. */
const LARGE_BYTES = 96 * MIB;
const SMALL_BYTES = 3 * MIB;
/** Of the transfer over the relay that is to be killed. */
const UNDER_WAY_BYTES = 8 * MIB;
/** A connection that leads nowhere is noticed after 15 s; then everything is to be found anew. */
const RECOVERY_MS = 90_000;

/** What waits for silence to be noticed is left to `npm run test:nat:long`. */
const isLong = process.env['HOLDFAST_NAT_LONG'] !== undefined;

const run = promisify(execFile);
const why = await whyNoNatWorld();
if (why !== undefined) console.warn(`SKIPPED: tests with real NATs: ${why}`);

interface Status {
  readonly dataNodes: readonly { readonly liveness: string }[];
  readonly reach: readonly {
    readonly from: string;
    readonly to: string;
    readonly path: string;
    readonly peers: number;
  }[];
  readonly checks: readonly { readonly name: string; readonly health: string }[];
}

/** What reader-program.ts prints. */
interface Reading {
  readonly paths: readonly string[];
  readonly relayedMib: number;
}

describe.skipIf(why !== undefined)('a cluster across NATs', () => {
  let root: string;
  let world: NatWorld;
  let networks: Record<'a' | 'b' | 'c' | 'k' | 'founder', PrivateNetwork>;
  let machines: Record<'founder' | 'one' | 'two' | 'a' | 'b' | 'c' | 'k', Machine>;
  let token: string;
  let relays: RunningCommand[];
  let large: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-nat-'));
    world = await NatWorld.create(2);
    networks = {
      a: await world.addPrivateNetwork('a', 10),
      b: await world.addPrivateNetwork('b', 20),
      c: await world.addPrivateNetwork('c', 30, { randomPorts: true }),
      k: await world.addPrivateNetwork('k', 50),
      founder: await world.addPrivateNetwork('f', 40, { forwardedPort: 4600 }),
    };
    machines = {
      founder: await Machine.create(root, 'founder', networks.founder.machine),
      one: await Machine.create(root, 'one', world.public),
      two: await Machine.create(root, 'two', world.public),
      a: await Machine.create(root, 'a', networks.a.machine),
      b: await Machine.create(root, 'b', networks.b.machine),
      c: await Machine.create(root, 'c', networks.c.machine),
      k: await Machine.create(root, 'k', networks.k.machine),
    };
  });
  afterAll(async () => {
    await Promise.all(Object.values(machines).map((machine) => machine.turnOff()));
    await world.destroy();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  });

  it('is founded and joined from behind NAT, each private network with the same addresses', async () => {
    const { founder, one, two, a, b, c, k } = machines;
    const announce = `/ip4/${networks.founder.publicAddress}/tcp/4600`;
    const init = ['--role', 'meta', '--host', 'f', '--announce', announce, '--replication', '2'];
    ({ token } = await founder.ask<{ token: string }>('cluster', 'init', ...init));
    const first = await founder.run('node', 'start');
    const listen = (host: number): readonly string[] => ['--listen', `/ip4/198.51.77.${host}/tcp/4600`];
    const enter = (machine: Machine, ...words: readonly string[]): Promise<RunningCommand> =>
      machine.run('cluster', 'join', token, ...words, '--start');
    const [second, third] = await Promise.all([
      enter(one, '--role', 'meta', '--host', 'one', ...listen(1)),
      enter(two, '--role', 'meta', '--host', 'two', ...listen(2)),
      enter(a, '--role', 'data', '--host', 'a'),
      enter(b, '--role', 'data', '--host', 'b'),
    ]);
    relays = [first, second, third];
    await Promise.all([c, k].map((client) => mustType(client, 'connect', token)));
    await eventually('both datanodes are alive', RECOVERY_MS, async () =>
      (await alive(c)) === 2 ? true : undefined,
    );
  });

  it('stores and reads files between clients and datanodes behind different NATs', async () => {
    const { a, b, c } = machines;
    const small = await randomFile(c, 'small', SMALL_BYTES);
    await mustType(c, 'put', 'small', '/small');
    large = await randomFile(a, 'large', isLong ? LARGE_BYTES : SMALL_BYTES);
    await mustType(a, 'put', 'large', '/large');
    for (const machine of [a, b]) {
      await mustType(machine, 'get', '/small', 'small-back');
      expect(await hashOf(machine, 'small-back')).toBe(small);
    }
  });

  it('punches from datanode to datanode, and says that the client behind the unpredictable router needs relays', async () => {
    // Each datanode tells of it with its next heartbeat.
    const status = await eventually(
      'the punched path and the relayed bytes are reported',
      20_000,
      async () => {
        const now = await machines.c.ask<Status>('cluster', 'status');
        const isPunched = pathsOf(now, 'data', 'data').join() === 'punched';
        return isPunched && now.checks.some(({ name, health }) => name === 'relays' && health === 'warn')
          ? now
          : undefined;
      },
    );
    expect(pathsOf(status, 'data', 'meta')).toEqual(['direct']);
  });

  it('has the doctor name those that no metadata node can dial, and no others', async () => {
    const { stdout } = await machines.c.type('doctor', '--json');
    const { checks } = JSON.parse(stdout) as {
      checks: readonly { name: string; health: string; finding: string }[];
    };
    const ports = checks.find(({ name }) => name === 'ports');
    expect(ports?.health).toBe('warn');
    const { members } = await machines.c.ask<{
      members: readonly { number: number; roles: readonly string[] }[];
    }>('cluster', 'members');
    const named = [...(ports?.finding ?? '').matchAll(/node (\d+)/g)].map(([, number]) => Number(number));
    const datanodes = members.filter(({ roles }) => roles.includes('data')).map(({ number }) => number);
    expect(named.toSorted()).toEqual(datanodes.toSorted());
  });

  it('moves the bulk of a client to a hole where both routers keep ports, and over relays where one does not', async () => {
    const readIn = async (machine: Machine, namespace: string, path: string): Promise<Reading> => {
      const profile = join(machine.home, '.holdfast', 'client');
      const words = [READER, profile, '/small', String(RECOVERY_MS / 1000), path];
      const { stdout } = await run('ip', ['netns', 'exec', namespace, process.execPath, ...words]);
      return JSON.parse(stdout) as Reading;
    };
    const [punched, relayed] = await Promise.all([
      readIn(machines.k, networks.k.machine, 'punched'),
      readIn(machines.c, networks.c.machine, 'relayed'),
    ]);
    expect(new Set(punched.paths)).toEqual(new Set(['punched']));
    expect(punched.relayedMib).toBe(0);
    expect(new Set(relayed.paths)).toEqual(new Set(['relayed']));
    // What it read, and the copy it wrote.
    expect(relayed.relayedMib).toBeGreaterThanOrEqual((2 * SMALL_BYTES) / MIB);
  });

  it.runIf(isLong)('finishes a read though the relay that carries it is killed in the middle', async () => {
    const { c } = machines;
    const before = await Promise.all(relays.map(readBytes));
    const reading = c.type('get', '/large', 'large-back');
    const carrier = await eventually('a relay carries it', RECOVERY_MS, async () => {
      const now = await Promise.all(relays.map(readBytes));
      return relays.find((_, index) => (now[index] ?? 0) - (before[index] ?? 0) > UNDER_WAY_BYTES);
    });
    await carrier.end('SIGKILL');
    const { status, stderr } = await reading;
    expect(status, stderr).toBe(0);
    expect(await hashOf(c, 'large-back')).toBe(large);
  });

  it.runIf(isLong)('goes on after a router was restarted and another got a new public address', async () => {
    const { a, b, c } = machines;
    await world.restartRouter(networks.a);
    await world.changeAddress(networks.b, 21);
    await eventually('a file can be stored on both and read', RECOVERY_MS, async () => {
      const stored = await c.type('put', 'small', '/small-again');
      if (stored.status !== 0) throw new Error(stored.stderr);
      return true;
    });
    await mustType(b, 'get', '/small-again', 'again');
    await mustType(a, 'get', '/small-again', 'again');
    expect(await hashOf(a, 'again')).toBe(await hashOf(c, 'small'));
  });
});

async function alive(machine: Machine): Promise<number> {
  const { stdout } = await machine.type('cluster', 'status', '--json');
  const status = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Status;
  return status.dataNodes.filter(({ liveness }) => liveness === 'alive').length;
}

function pathsOf({ reach }: Status, from: string, to: string): readonly string[] {
  return reach.filter((pair) => pair.from === from && pair.to === to).map(({ path }) => path);
}

async function mustType(machine: Machine, ...words: readonly string[]): Promise<void> {
  const { status, stderr } = await machine.type(...words);
  expect(status, `holdfast ${words.join(' ')}: ${stderr}`).toBe(0);
}

async function randomFile(machine: Machine, name: string, sizeBytes: number): Promise<string> {
  await writeFile(join(machine.home, name), randomBytes(sizeBytes));
  return hashOf(machine, name);
}

async function hashOf(machine: Machine, name: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(machine.home, name)))
    .digest('hex');
}

/** What a process has read up to now, from sockets too. */
async function readBytes({ pid }: RunningCommand): Promise<number> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^rchar: (\d+)$/m.exec(text)?.[1]);
}
