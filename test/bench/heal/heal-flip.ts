/** @module A byte is flipped in many block files of one datanode, and everything is read. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spoilBlocks } from '../../../cli/demo/spoil-blocks.ts';
import type { Client } from '../../../src/index.ts';
import type { Reported } from '../part-contender.ts';
import { secondsSince } from '../stopwatch.ts';
import { countWrong, pathOf } from './heal-files.ts';
import { type HealRun, LOG_SUFFIX } from './heal-run.ts';
import { poll } from './heal-watch.ts';

const FLIPPED_BLOCKS = 100;

export async function flip({
  cluster,
  client,
  files,
}: HealRun): Promise<Reported<{ readonly fsckCleanS: number }>> {
  const flipped = await spoilBlocks(cluster.nodeDirectory('d1'), FLIPPED_BLOCKS);
  const startMs = performance.now();
  const wrong = await countWrong(client, files);
  const readS = secondsSince(startMs);
  // A reader meets the bad copies that it happens to be sent to; the scrub finds the others.
  const scrub = await cluster.run(['scrub', 'run']);
  if (scrub.status !== 0) throw new Error(`The scrub did not begin: ${scrub.stderr}`);
  const named = (event: string): Promise<number> => countNamed(cluster.directory, event);
  const metByReaders = await named('datanode.corrupt-block');
  await poll(async () => (await named('repair.copy-made-up-for')) >= flipped);
  const healedS = secondsSince(startMs);
  const unhealthyAtFirst = await unhealthyStates(client, files);
  await poll(async () => (await unhealthyStates(client, files)).length === 0);
  const fsckCleanS = secondsSince(startMs);
  const [rotten, lost, healed] = [
    await named('datanode.corrupt-block'),
    await named('repair.copy-lost'),
    await named('repair.copy-made-up-for'),
  ];
  const namedInLogs = { rotten, lost, healed };
  return { flipped, files, wrong, metByReaders, readS, healedS, unhealthyAtFirst, fsckCleanS, namedInLogs };
}

/** How many different blocks the logs of all nodes name in `event`. */
async function countNamed(directory: string, event: string): Promise<number> {
  const hashes = new Set<string>();
  for (const file of await readdir(directory)) {
    if (!file.endsWith(LOG_SUFFIX)) continue;
    for (const line of (await readFile(join(directory, file), 'utf8')).split('\n'))
      if (line.includes(`"${event}"`)) hashes.add(/"hash":"([0-9a-f]+)"/.exec(line)?.[1] ?? '');
  }
  return hashes.size;
}

/** What fsck says of the files that it does not call healthy. */
async function unhealthyStates(client: Client, files: number): Promise<readonly string[]> {
  const checker = client.fileChecker({});
  const states: string[] = [];
  for (let number = 0; number < files; number += 1) {
    const { state, blocks } = await checker.check(pathOf(number));
    if (state !== 'healthy')
      states.push(`${state}: ${blocks.filter((block) => block.state === state).length} blocks`);
  }
  return states;
}
