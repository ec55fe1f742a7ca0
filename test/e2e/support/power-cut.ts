/** @module Power cuts: every process of a cluster is killed at once while files are written, and all come back. */
import type { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import type { Client } from '../../../src/index.ts';
import { eventually } from './eventually.ts';
import { lostFiles, strayFiles, WriteLoad, type WrittenFile } from './write-load.ts';

export interface PowerCutRound {
  readonly round: number;
  readonly acknowledged: number;
  readonly restartMs: number;
  /** A line for each acknowledged file of this or an earlier round that is not as it was. */
  readonly lost: readonly string[];
  /** Files that nobody was told of: neither acknowledged nor of unknown outcome. */
  readonly stray: readonly string[];
}

export interface PowerCutOptions {
  readonly rounds: number;
  readonly onRound?: (round: PowerCutRound) => void;
}

const WRITERS = 4;
/** How many acknowledgements a round waits for before the lights go out: never the same moment twice. */
const FEWEST_WRITES = 12;
const MORE_WRITES = 24;
const FIRST_WRITES_DEADLINE_MS = 60_000;
/** Earlier rounds are looked at again in part, the last round whole; the end looks at everything. */
const OLDER_FILES_CHECKED = 64;

/** Each round in a directory of its own. The last round reads all files of all rounds. */
export async function runPowerCuts(
  cluster: LocalCluster,
  { rounds, onRound }: PowerCutOptions,
): Promise<readonly PowerCutRound[]> {
  const safe: WrittenFile[] = [];
  const results: PowerCutRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const directory = `/power-cut-${round}`;
    const files = await writeUntilDark(cluster, directory);
    const startMs = performance.now();
    await restartAll(cluster);
    const restartMs = Math.round(performance.now() - startMs);

    const acknowledged = files.filter(({ failure }) => failure === undefined);
    const older = round === rounds ? safe : sample(safe, OLDER_FILES_CHECKED);
    await using client = await cluster.connect();
    const lost = await lostFiles(client, [...acknowledged, ...older]);
    const stray = await strayFiles(client, directory, files);
    safe.push(...acknowledged);
    const result = { round, acknowledged: acknowledged.length, restartMs, lost, stray };
    results.push(result);
    onRound?.(result);
  }
  return results;
}

/** Kills every process at once, without warning. */
export async function cutPower(cluster: LocalCluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
}

/** Starts every node on its old data, all at once, as after a power cut. */
export async function restartAll(cluster: LocalCluster): Promise<void> {
  await Promise.all(cluster.nodes.map(({ name }) => cluster.startNode(name)));
  await cluster.settled();
}

async function writeUntilDark(cluster: LocalCluster, directory: string): Promise<readonly WrittenFile[]> {
  // Closed without waiting for puts under way: their node is gone, and what they know no longer counts.
  await using client: Client = await cluster.connect();
  await client.mkdir(directory);
  const load = new WriteLoad(client, { directory, writers: WRITERS });
  const wanted = FEWEST_WRITES + Math.floor(Math.random() * MORE_WRITES);
  await eventually(`${wanted} acknowledged writes`, FIRST_WRITES_DEADLINE_MS, () =>
    load.acknowledged.length >= wanted ? true : undefined,
  );
  await cutPower(cluster);
  const stopping = load.stop();
  await client.close();
  await stopping;
  return load.files;
}

function sample<T>(items: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, index) => index % step === 0);
}
