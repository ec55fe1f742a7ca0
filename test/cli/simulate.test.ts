/** @module `holdfast simulate`, with real programs and one small scenario, and what it says of many seeds. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { SwarmSummary } from '../../cli/simulate/swarm-summary.ts';
import { run } from './fake-terminal.ts';

const KEPT = fileURLToPath(
  new URL('../simulations/scenarios/removed-voter-gone-too-soon.json', import.meta.url),
);

describe('holdfast simulate', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'simulate-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  it('runs a kept scenario, sums up what it exercised, and ends with 0 when it held', async () => {
    const { status, stdout } = await run(['simulate', '--scenario', KEPT, '--json']);
    const [report, summary] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(status).toBe(EXIT.ok);
    expect(report).toMatchObject({ seed: 20648, exercised: { 'fault: remove-node': 2 } });
    expect(summary).toMatchObject({ ok: true, seeds: 1, failed: [] });
    expect(summary.exercised.elections.percentOfSeeds).toBe(100);
  });

  it('says how to see a failure again, keeps it small, and ends with the status of a broken promise', async () => {
    const [slow, small] = [join(directory, 'slow.json'), join(directory, 'small.json')];
    const file = JSON.parse(await readFile(KEPT, 'utf8'));
    // Nobody can be elected over such wires.
    file.scenario.weather.shortestDelayMs = 100_000;
    await writeFile(slow, JSON.stringify(file));
    const { status, stdout } = await run(['simulate', '--scenario', slow, '--shrink', '--keep', small]);
    expect(status).toBe(EXIT.broken);
    expect(stdout).toContain(`replay: holdfast simulate --scenario ${slow}`);
    expect(stdout).toContain('1 of 1 seeds FAILED');
    expect(JSON.parse(await readFile(small, 'utf8')).scenario).toMatchObject({ faults: [], clients: 1 });
  });

  it('looks at the files it needs before anything is run', async () => {
    const missing = join(directory, 'missing', 'file.json');
    expect((await run(['simulate', '--scenario', missing])).status).toBe(EXIT.notFound);
    expect((await run(['simulate', '--scenario', KEPT, '--keep', missing])).status).toBe(EXIT.notFound);
    expect((await run(['simulate', '--scenario', KEPT, '--keep', directory])).status).toBe(EXIT.failed);
  });

  it('takes a program that dies without a verdict for no success, and says why', async () => {
    const junk = join(directory, 'junk.json');
    await writeFile(junk, 'junk');
    const { status, stderr } = await run(['simulate', '--scenario', junk]);
    expect(status).toBe(EXIT.broken);
    expect(stderr).toContain(`${junk} holds no scenario`);
  });

  it('takes for none, either, one that has told of no failed seed, and has the status of one: an exception ends so', async () => {
    vi.stubEnv('NODE_OPTIONS', '--import=data:text/javascript,process.exit(1)');
    const { status, stderr } = await run(['simulate', '--seed', '1']);
    expect(status).toBe(EXIT.broken);
    expect(stderr).toContain('CLI_SIMULATION_FAILED');
  });

  it('ends with the summary so far when it is interrupted', async () => {
    const controller = new AbortController();
    const running = run(['simulate', '--seeds', '1..1000000', '--json'], { signal: controller.signal });
    controller.abort(new Error('stopped'));
    const { stdout } = await running;
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, seeds: 0 });
  });

  it('names the profiles it knows and the seeds it takes', async () => {
    expect((await run(['simulate', '--profile', 'mild'])).status).toBe(EXIT.usage);
    expect((await run(['simulate', '--seeds', '9..3'])).status).toBe(EXIT.usage);
    expect((await run(['simulate', '--seed', '1', '--seeds', '1..2'])).status).toBe(EXIT.usage);
  });
});

describe('the summary of a swarm', () => {
  it('shows in how many of the seeds each thing was seen, unseen things included', () => {
    const summary = new SwarmSummary();
    const report = { profile: 'rough', simulatedMs: 1000, events: 1, operations: { done: 3 } };
    for (const elections of [0, 4, 0, 2])
      summary.add({ ...report, seed: 1, exercised: { elections, wipes: 0 } });
    expect(summary.facts(1000).exercised).toEqual({
      elections: { times: 6, percentOfSeeds: 50 },
      wipes: { times: 0, percentOfSeeds: 0 },
    });
    expect(summary.lines(1000).join('\n')).toContain('elections  ██████████··········  50.0 %  6');
  });
});
