/** @module What the demo does to its cluster, step by step. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import { formatBytes } from '../byte-size.ts';
import { counted } from '../counted.ts';
import { demoFailed } from '../errors.ts';
import { createProgress } from '../progress-bar.ts';
import type { Shell } from '../shell.ts';
import { type DemoFile, sha256Of } from './demo-file.ts';
import type { LocalCluster } from './local-cluster.ts';
import type { NodeProcess } from './node-process.ts';
import { countQuarantined, spoilBlocks } from './spoil-blocks.ts';

export interface DemoContext {
  readonly shell: Shell;
  readonly cluster: LocalCluster;
  readonly client: Client;
  readonly file: DemoFile;
  /** SHA-256 of the file in hex, once it was put. */
  sha256?: string;
}

/** Facts of a step for --json; also told in words through the shell. */
export type StepFacts = Readonly<Record<string, string | number>>;

export interface DemoStep {
  /** Stable, kebab-case. */
  readonly name: string;
  readonly title: string;
  run(context: DemoContext): Promise<StepFacts>;
}

const PATH = '/demo/film.bin';
/** How much of the file is safe when the leader is killed. */
const KILL_AT = 0.4;
/** For a bad copy that was read to be found out. */
const NOTICE_MS = 1_000;
/** For a scrub to find them all. */
const SCRUB_MS = 20_000;
const NOTICE_POLL_MS = 50;

export const DEMO_STEPS: readonly DemoStep[] = [
  {
    name: 'put-while-leader-dies',
    title: 'A file is put; in the middle of it the leader of the metadata nodes is killed (kill -9)',
    run: putWhileLeaderDies,
  },
  {
    name: 'datanode-dies',
    title: 'A datanode that holds parts of the file is killed (kill -9)',
    run: readWithoutDatanode,
  },
  {
    name: 'disk-rots',
    title: 'On another datanode one byte of every stored block is flipped on disk',
    run: readFromRottenDisk,
  },
];

async function putWhileLeaderDies(context: DemoContext): Promise<StepFacts> {
  const { shell, cluster, client, file } = context;
  const { signal, output, terminal } = shell;
  const leader = await cluster.leader();
  const victim = cluster.byNumber(leader);
  if (victim === undefined) throw demoFailed('put-while-leader-dies', 'there is no leader');
  await client.mkdir('/demo', { parents: true, signal });

  const progress = createProgress(output, terminal, { label: 'put' });
  progress.expect(file.sizeBytes);
  const startMs = performance.now();
  let killed: Promise<unknown> | undefined;
  try {
    await client.put(PATH, file.bytes, {
      sizeBytes: file.sizeBytes,
      signal,
      onProgress({ doneBytes }) {
        progress.update(PATH, doneBytes);
        if (doneBytes >= file.sizeBytes * KILL_AT) killed ??= victim.kill('SIGKILL');
      },
    });
  } finally {
    progress.stop();
  }
  if (killed === undefined)
    throw demoFailed('put-while-leader-dies', 'the put was over before the leader could be killed');
  await killed;
  const seconds = secondsSince(startMs);
  context.sha256 = file.sha256();
  await output.note(
    `  ${victim.name} (node ${leader}) was killed at ${KILL_AT * 100} %; the put went on and took ${seconds} s in all.`,
  );
  const next = await cluster.leader();
  await output.note(`  The others have chosen node ${next} as leader.`);
  return {
    killed: victim.name,
    leaderBefore: leader,
    leaderAfter: next,
    putSeconds: seconds,
    ...(await readBack(context)),
  };
}

async function readWithoutDatanode(context: DemoContext): Promise<StepFacts> {
  const { shell, cluster, client } = context;
  const { blocks } = await client.locate(PATH, { signal: shell.signal });
  const victim = await busiestDatanode(context, 'datanode-dies');
  const held = blocks.filter(({ nodes }) => nodes.includes(victim)).length;
  const node = cluster.byNumber(victim);
  await node?.kill('SIGKILL');
  await shell.output.note(
    `  ${node?.name} is gone, and with it one copy of ${held} of the ${blocks.length} blocks.`,
  );
  return { killed: node?.name ?? '', blocks: blocks.length, blocksHeld: held, ...(await readBack(context)) };
}

async function readFromRottenDisk(context: DemoContext): Promise<StepFacts> {
  const { shell, cluster } = context;
  const node = cluster.byNumber(await busiestDatanode(context, 'disk-rots'));
  if (node === undefined) throw demoFailed('disk-rots', 'no datanode is left');
  const spoiled = await spoilBlocks(node.directory);
  await shell.output.note(
    `  ${spoiled} block files of ${node.name} are now wrong by one byte each, and nobody was told.`,
  );
  const facts = await readBack(context);
  const met = await noticedWithin(NOTICE_MS, 1, node.directory, shell.signal);
  const found = met > 0 ? met : await scrubbed(context, node, spoiled);
  await shell.output.note(
    met > 0
      ? `  The reader met ${counted(met, 'bad copy')}: out of service now, and read elsewhere.`
      : `  It was read from other disks alone; a scrub has taken ${counted(found, 'bad copy')} out of service.`,
  );
  if (found === 0) throw demoFailed('disk-rots', 'no bad copy was noticed');
  return { node: node.name, spoiled, noticed: found, ...facts };
}

/** Nobody has read a copy on that disk, as a file of few blocks may be read from the others alone. */
async function scrubbed({ shell, client }: DemoContext, node: NodeProcess, spoiled: number): Promise<number> {
  const { signal } = shell;
  await client.workers.control('data', 'scrub', 'run', { node: node.ready.number, signal });
  return noticedWithin(SCRUB_MS, spoiled, node.directory, signal);
}

/**
 * How many, once there are `wanted` or the time is over. Whoever reads a bad copy reports it and reads on; its datanode looks
 * for itself, a moment later.
 */
async function noticedWithin(
  ms: number,
  wanted: number,
  directory: string,
  signal: AbortSignal,
): Promise<number> {
  const untilMs = performance.now() + ms;
  for (;;) {
    const found = await countQuarantined(directory);
    if (found >= wanted || performance.now() >= untilMs) return found;
    await pause(NOTICE_POLL_MS, undefined, { signal });
  }
}

/** The running datanode that holds most of the file's blocks. */
async function busiestDatanode({ shell, cluster, client }: DemoContext, step: string): Promise<number> {
  const { blocks } = await client.locate(PATH, { signal: shell.signal });
  const counts = new Map<number, number>();
  for (const node of blocks.flatMap(({ nodes }) => nodes))
    if (cluster.byNumber(node) !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
  const [busiest] = [...counts].toSorted(([, left], [, right]) => right - left);
  if (busiest === undefined) throw demoFailed(step, 'no running datanode holds a block of the file');
  return busiest[0];
}

async function readBack({ shell, client, file, sha256 = '' }: DemoContext): Promise<StepFacts> {
  const startMs = performance.now();
  const { bytes } = await client.get(PATH, { signal: shell.signal, transient: true });
  const got = await sha256Of(bytes);
  const seconds = secondsSince(startMs);
  if (got !== sha256)
    throw demoFailed('get', `the file came back different: SHA-256 is ${got}, not ${sha256}`);
  await shell.output.note(
    `  Got it back in ${seconds} s: ${formatBytes(file.sizeBytes)}, SHA-256 ${sha256.slice(0, 16)}…, the very same.`,
  );
  return { sha256, getSeconds: seconds };
}

function secondsSince(startMs: number): number {
  return Number(((performance.now() - startMs) / 1000).toFixed(2));
}
