/** @module The demo as a newcomer types it: what it shows, and that nothing is left of it, however it ends. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandWords } from '../../cli/demo/node-process.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { PACKAGE } from '../../cli/package-root.ts';
import { eventually } from './support/eventually.ts';

const TIMEOUT_MS = 170_000;
const PATIENCE_MS = 60_000;
/** As little as it takes: four blocks. */
const SMALL = ['--size', '32MiB'];

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly [fact: string]: unknown;
}

describe('holdfast demo', () => {
  /** Where the demo makes its own directory. */
  let temporary: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'holdfast-test-demo-'));
  });
  afterEach(() => rm(temporary, { recursive: true, force: true, maxRetries: 3 }));

  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: temporary });

  async function leftOnDisk(): Promise<string[]> {
    return (await readdir(temporary)).filter((name) => name.startsWith('holdfast-'));
  }

  it('shows by the README’s command that the file outlives a leader, a datanode and a disk, in one line of JSON', async () => {
    const words = ['run', 'demo', '--', '--json', ...SMALL];
    const options = { cwd: PACKAGE.root, env: environment(), timeout: TIMEOUT_MS };
    const { stdout } = await promisify(execFile)('npm', words, options);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { steps: readonly Step[] };
    const number = expect.any(Number);
    expect(result).toMatchObject({ ok: true, seconds: number });
    expect(result.steps).toMatchObject([
      { name: 'start-cluster', ok: true, ms: number, metadataNodes: 3, dataNodes: 4 },
      { name: 'put-while-leader-dies', ok: true, ms: number, killed: expect.stringMatching(/^m\d$/) },
      { name: 'datanode-dies', ok: true, ms: number, killed: expect.stringMatching(/^d\d$/) },
      { name: 'disk-rots', ok: true, ms: number, node: expect.stringMatching(/^d\d$/) },
    ]);
    const [, put, datanode, disk] = result.steps;
    expect(put?.['leaderAfter']).not.toBe(put?.['leaderBefore']);
    expect(datanode?.['blocksHeld']).toBeGreaterThan(0);
    expect(disk?.['node']).not.toBe(datanode?.['killed']);
    expect(disk?.['noticed']).toBeGreaterThan(0);
    expect(put?.['sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect([datanode?.['sha256'], disk?.['sha256']]).toEqual([put?.['sha256'], put?.['sha256']]);
    expect(await processesBelow(temporary)).toEqual([]);
    expect(await leftOnDisk()).toEqual([]);
  });

  it.each([
    ['while its processes start', 'processes of their own'],
    ['in the middle of the put', '1. A file is put'],
  ])('is stopped by ctrl-C %s, and leaves neither a process nor a file', async (_when, words) => {
    const demo = start();
    await eventually(words, PATIENCE_MS, () => (demo.said().includes(words) ? true : undefined));
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(EXIT.interrupted);
    expect(demo.said()).toContain('all processes are ended and all files removed');
    expect(await processesBelow(temporary)).toEqual([]);
    expect(await leftOnDisk()).toEqual([]);
  });

  it('that is killed (kill -9) leaves no process', async () => {
    const demo = start();
    await eventually('some nodes run', PATIENCE_MS, async () =>
      (await processesBelow(temporary)).length > 2 ? true : undefined,
    );
    demo.child.kill('SIGKILL');
    await demo.ended;
    await eventually('no node runs', PATIENCE_MS, async () =>
      (await processesBelow(temporary)).length === 0 ? true : undefined,
    );
  });

  function start(): { child: ChildProcess; ended: Promise<number | null>; said: () => string } {
    const [program, ...first] = commandWords();
    const child = spawn(program, [...first, 'demo', ...SMALL], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { child, ended, said: () => said };
  }
});

/** Numbers of the processes that were started on a path below `directory`, as Linux tells them. */
async function processesBelow(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end while it is looked at.
    const words = await readFile(join('/proc', name, 'cmdline'), 'utf8').catch(() => '');
    if (words.includes(directory)) found.push(name);
  }
  return found;
}
