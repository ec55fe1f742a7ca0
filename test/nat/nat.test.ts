/**
 * @module Nodes and clients behind real NATs: routers that masquerade and let nobody in. Datanodes A and B are behind routers that
 * keep ports, the client C behind one that draws them by lot (no hole can be punched to it), and the founder behind one that forwards
 * a port to it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/support/eventually.ts';
import { Machine, type RunningCommand } from '../e2e/support/machine.ts';
import { NatWorld, type PrivateNetwork, whyNoNatWorld } from '../e2e/support/nat-world.ts';

const MIB = 1024 * 1024;
const SMALL_BYTES = 3 * MIB;
/** A connection that leads nowhere is noticed after 15 s; then everything is to be found anew. */
const RECOVERY_MS = 60_000;

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

describe.skipIf(why !== undefined)('a cluster across NATs', () => {
  let root: string;
  let world: NatWorld;
  let networks: { a: PrivateNetwork; b: PrivateNetwork; c: PrivateNetwork; founder: PrivateNetwork };
  let machines: { founder: Machine; one: Machine; two: Machine; a: Machine; b: Machine; c: Machine };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-nat-'));
    world = await NatWorld.create(2);
    networks = {
      a: await world.addPrivateNetwork('a', 10),
      b: await world.addPrivateNetwork('b', 20),
      c: await world.addPrivateNetwork('c', 30, { randomPorts: true }),
      founder: await world.addPrivateNetwork('f', 40, { forwardedPort: 4600 }),
    };
    machines = {
      founder: await Machine.create(root, 'founder', networks.founder.machine),
      one: await Machine.create(root, 'one', world.public),
      two: await Machine.create(root, 'two', world.public),
      a: await Machine.create(root, 'a', networks.a.machine),
      b: await Machine.create(root, 'b', networks.b.machine),
      c: await Machine.create(root, 'c', networks.c.machine),
    };
  });
  afterAll(async () => {
    await Promise.all(Object.values(machines).map((machine) => machine.turnOff()));
    await world.destroy();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  });

  it('is founded and joined from behind NAT, each private network with the same addresses', async () => {
    const { founder, one, two, a, b, c } = machines;
    const announce = `/ip4/${networks.founder.publicAddress}/tcp/4600`;
    const init = ['--role', 'meta', '--host', 'f', '--announce', announce, '--replication', '2'];
    const { token } = await founder.ask<{ token: string }>('cluster', 'init', ...init);
    await founder.run('node', 'start');
    const listen = (host: number): readonly string[] => ['--listen', `/ip4/198.51.77.${host}/tcp/4600`];
    const enter = (machine: Machine, ...words: readonly string[]): Promise<RunningCommand> =>
      machine.run('cluster', 'join', token, ...words, '--start');
    await Promise.all([
      enter(one, '--role', 'meta', '--host', 'one', ...listen(1)),
      enter(two, '--role', 'meta', '--host', 'two', ...listen(2)),
      enter(a, '--role', 'data', '--host', 'a'),
      enter(b, '--role', 'data', '--host', 'b'),
    ]);
    const connected = await c.type('connect', token);
    expect(connected.status, connected.stderr).toBe(0);
    await eventually('both datanodes are alive', RECOVERY_MS, async () =>
      (await alive(c)) === 2 ? true : undefined,
    );
  });

  it('stores and reads files between clients and datanodes behind different NATs', async () => {
    const { a, b, c } = machines;
    const small = await randomFile(c, 'small', SMALL_BYTES);
    await mustType(c, 'put', 'small', '/small');
    for (const machine of [a, b]) {
      await mustType(machine, 'get', '/small', 'small-back');
      expect(await hashOf(machine, 'small-back')).toBe(small);
    }
  });

  it('punches from datanode to datanode, and says that the client behind the unpredictable router needs relays', async () => {
    const status = await eventually('the punched path is reported', 20_000, async () => {
      const now = await machines.c.ask<Status>('cluster', 'status');
      return pathsOf(now, 'data', 'data').includes('punched') ? now : undefined;
    });
    expect(pathsOf(status, 'data', 'data')).toEqual(['punched']);
    expect(pathsOf(status, 'data', 'meta')).toEqual(['direct']);
    expect(status.checks).toContainEqual(expect.objectContaining({ name: 'relays', health: 'warn' }));
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
