/** @module The README's three commands, typed by a newcomer on three machines, and what can go wrong with a start. */
import { createServer } from 'node:net';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { eventually } from './support/eventually.ts';
import { codeOf, Machine, type RunningCommand, type Typed } from './support/machine.ts';

/** Three machines share one address here, so each needs a port and a host name of its own. */
const APART = (host: string): readonly string[] => ['--listen', '/ip4/127.0.0.1/tcp/0', '--host', host];
const STOP_MS = 5_000;
/** Of a log: pino writes levels as numbers, 40 a warning, 50 an error. */
const ERROR_LINE = /"level":[56]0/;

interface Status {
  readonly checks: readonly { readonly name: string; readonly health: string }[];
  readonly leader: number;
  readonly metadataNodes: readonly { readonly raftRole: string }[];
}

describe('three machines of a newcomer', () => {
  let root: string;
  let machines: [Machine, Machine, Machine];
  const nodes: RunningCommand[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-start-'));
    machines = [
      await Machine.create(root, 'one'),
      await Machine.create(root, 'two'),
      await Machine.create(root, 'three'),
    ];
  });
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.turnOff()));
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  });

  it('found a cluster with "cluster init", which prints a token and the next command to type', async () => {
    const [one] = machines;
    const { status, stdout, stderr } = await one.type('cluster', 'init', ...APART('one'));
    expect({ status, stderr }).toEqual({ status: EXIT.ok, stderr: '' });
    expect(stdout).toMatch(/^ {2}holdfast cluster join hf1_[\w-]+ --start$/m);
    expect(stdout).toMatch(/^ {2}holdfast node start --dir \S+$/m);
  });

  it('cannot found a cluster in a directory with something in it, and leave it as it was', async () => {
    const [one] = machines;
    expectRefusal(await one.type('cluster', 'init'), 'NODE_DIRECTORY_NOT_EMPTY', EXIT.node);
    const documents = join(one.home, 'documents');
    await one.type('cluster', 'init', '--dir', join(documents, 'deeper'), ...APART('x'));
    expectRefusal(
      await one.type('cluster', 'init', '--dir', documents),
      'NODE_DIRECTORY_NOT_EMPTY',
      EXIT.node,
    );
    expect(await readdir(documents)).toEqual(['deeper']);
  });

  it('become one cluster by the very commands that were printed', async () => {
    const [one, two, three] = machines;
    nodes.push(await one.run('node', 'start'));
    const { next } = await one.ask<{ next: string }>(
      'cluster',
      'token',
      'create',
      '--role',
      'meta,data,client',
      '--uses',
      '8',
    );
    const [program, ...words] = next.split(' ');
    expect(program).toBe('holdfast');
    for (const [machine, name] of [
      [two, 'two'],
      [three, 'three'],
    ] as const)
      nodes.push(await machine.run(...words, ...APART(name)));

    const status = await eventually('all voters, all well', 60_000, async () => {
      const answer = await one.ask<Status>('cluster', 'status');
      return answer.checks.every(({ health }) => health === 'ok') ? answer : undefined;
    });
    expect(status.checks.map(({ name }) => name)).toEqual([
      'quorum',
      'leader',
      'datanodes',
      'capacity',
      'under-replicated',
      'missing',
      'scrub',
      'relays',
    ]);
    expect(status.metadataNodes.map(({ raftRole }) => raftRole).toSorted()).toEqual([
      'leader',
      'voter',
      'voter',
    ]);
  });

  it('put a file on one, list it on the next and get it identical on the third', async () => {
    const [one, two, three] = machines;
    const cat = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
    await writeFile(join(one.home, 'cat.jpg'), cat);
    expect(await one.type('mkdir', '/photos')).toMatchObject({ status: EXIT.ok });
    expect(await one.type('put', 'cat.jpg', '/photos/')).toMatchObject({ status: EXIT.ok, stderr: '' });
    const list = await two.type('ls', '-l', '/photos');
    expect(list).toMatchObject({ status: EXIT.ok, stdout: expect.stringMatching(/ 300000 .* cat\.jpg\n$/) });
    expect(await three.type('get', '/photos/cat.jpg')).toMatchObject({ status: EXIT.ok, stderr: '' });
    expect(cat.equals(await readFile(join(three.home, 'cat.jpg')))).toBe(true);
  });

  it('refuse a second start on the same data and go on with the first', async () => {
    const [one] = machines;
    expectRefusal(await one.type('node', 'start'), 'NODE_ALREADY_RUNNING', EXIT.node);
    expectRefusal(await one.type('cluster', 'init'), 'NODE_DIRECTORY_NOT_EMPTY', EXIT.node);
    expect(nodes[0]?.hasEnded).toBe(false);
    expect(await one.type('ls', '/')).toMatchObject({ status: EXIT.ok, stdout: 'photos/\n' });
  });

  it('say which port is in use, and change nothing', async () => {
    const [one] = machines;
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const directory = join(one.home, 'second');
    const words = ['--dir', directory, '--profile', join(one.home, 'p2')];
    expect(await one.type('cluster', 'init', ...words, ...APART('x'))).toMatchObject({ status: EXIT.ok });
    try {
      const there = ['--listen', `/ip4/127.0.0.1/tcp/${port}`];
      const refused = await one.type('node', 'start', '--dir', directory, ...there);
      expect(codeOf(refused)).toMatch(/^(NODE|NETWORK)_PORT_IN_USE$/);
      expect(refused).toMatchObject({
        status: EXIT.node,
        stdout: '',
        stderr: expect.stringContaining(`${port}`),
      });
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
    // The address it was founded with is still its own.
    const second = await one.run('node', 'start', '--dir', directory, '--log-level', 'info');
    const { status, stderr } = await second.end('SIGTERM');
    expect(status).toBe(EXIT.ok);
    const log = stderr.trimEnd().split('\n');
    expect(log.length).toBeGreaterThan(1);
    for (const line of log)
      expect(JSON.parse(line)).toMatchObject({
        level: 30,
        time: expect.any(Number),
        msg: expect.any(String),
      });
  });

  it('say that a data directory cannot be written', async () => {
    const [one] = machines;
    const file = join(one.home, 'a-file');
    await writeFile(file, 'not a directory');
    // Nobody can make a directory there, root neither.
    const places = [join(file, 'node'), '/sys/holdfast'];
    const attempts = places.flatMap((place) => [
      one.type('cluster', 'init', '--dir', place),
      one.type('node', 'start', '--dir', place),
    ]);
    for (const typed of await Promise.all(attempts))
      expectRefusal(typed, 'NODE_DIRECTORY_NOT_WRITABLE', EXIT.node);
    const nothing = join(one.home, 'nothing');
    expectRefusal(await one.type('node', 'start', '--dir', nothing), 'NODE_NOT_INITIALISED', EXIT.node);
  });

  it('end within five seconds of SIGTERM with status 0, one after the other, and start again', async () => {
    for (const node of nodes.splice(0)) {
      const startMs = performance.now();
      const { status, stderr } = await node.end('SIGTERM');
      expect({ status, stderr }).toEqual({
        status: EXIT.ok,
        stderr: expect.not.stringMatching(ERROR_LINE),
      });
      expect(performance.now() - startMs).toBeLessThan(STOP_MS);
    }
    const [one, two, three] = machines;
    nodes.push(...(await Promise.all([one, two, three].map((machine) => machine.run('node', 'start')))));
    await eventually('the cat is back', 30_000, async () => {
      const typed = await two.type('get', '/photos/cat.jpg');
      return typed.status === EXIT.ok ? typed : undefined;
    });
    const [cat, again] = await Promise.all([one, two].map(({ home }) => readFile(join(home, 'cat.jpg'))));
    expect(cat?.equals(again as Buffer)).toBe(true);
  });
});

function expectRefusal(typed: Typed, code: string, status: number): void {
  expect(typed).toMatchObject({ status, stdout: '' });
  expect(codeOf(typed)).toBe(code);
}
