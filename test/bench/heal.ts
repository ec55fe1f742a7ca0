/**
 * @module How a cluster heals after datanodes died: `node test/bench/heal.ts [--mib 1024] [--case idle,busy,two,flip] [--json]`.
 *
 * Five datanodes and three metadata nodes as real processes; each datanode holds about `--mib` MiB of copies, three of each
 * block. Cases, each on a cluster of its own:
 * idle: kill -9 of one, default times, nobody else at work. Bar: all copies back within 45 s, 30 s of which it is not dead yet.
 * busy: the same with 3 s dead-time while clients read and write. Bar: no failed operation, none longer than 1.5 s, at least
 *       half of the undisturbed operations a second.
 * two:  two at once. Bar: nothing lost, no block with two copies left is helped before the last one with one.
 * flip: a byte is flipped in 100 block files of one datanode, and everything is read. Bar: every read right, all healed and called so by fsck, each
 *       named in the log of its datanode, and in those of the keepers when it was found and when it was healed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spoilBlocks } from '../../cli/demo/spoil-blocks.ts';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { MIB } from '../../src/common/bytes.ts';
import type { Client } from '../../src/index.ts';
import { startFileLoad } from './file-load.ts';
import { round } from './statistics.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    case: { type: 'string', default: 'idle,busy,two' },
    json: { type: 'boolean', default: false },
  },
});
const DATANODES = 5;
const COPIES = 3;
const FILE_BYTES: number = 32 * MIB;
const files = Math.max(1, Math.round((Number(values.mib) * MIB * DATANODES) / COPIES / FILE_BYTES));
const FLIPPED_BLOCKS = 100;
/** So many blocks of the default size that more than FLIPPED_BLOCKS are on each datanode would take long to write. */
const LOG_SUFFIX = '.log';
const SMALL_BLOCK_BYTES: number = MIB;
const POLL_MS = 200;
/** Whoever is not healed by then never will be, in milliseconds. */
const LIMIT_MS = 15 * 60_000;

interface Watch {
  /** Seconds from the kill. */
  readonly deadS: number;
  readonly healedS: number;
  /** When no block had a single copy left any more, and how many then still had two. */
  readonly oneLeftGoneS: number;
  readonly twoLeftThen: number;
  readonly twoLeftAtMost: number;
  readonly missingAtMost: number;
}

const CASES: Readonly<Record<string, (cluster: LocalCluster, client: Client) => Promise<object>>> = {
  idle: async (cluster, client) => {
    await kill(cluster, 'd1');
    return { ...(await untilHealed(client)), barS: 45 };
  },
  busy: async (cluster, client) => {
    await client.configure({ deadAfterMs: 3_000 });
    await pause(8_000);
    const load = startFileLoad(client);
    const undisturbed = await load.during(() => pause(10_000));
    const healing = await load.during(async () => {
      await kill(cluster, 'd1');
      return untilHealed(client);
    });
    await load.stop();
    const share = healing.perSecond / undisturbed.perSecond;
    return {
      ...healing.result,
      undisturbed,
      healing: { ...healing, result: undefined },
      share: round(share, 2),
    };
  },
  two: async (cluster, client) => {
    await Promise.all([kill(cluster, 'd1'), kill(cluster, 'd2')]);
    const watch = await untilHealed(client);
    let wrong = 0;
    for (let number = 0; number < files; number += 1) if (!(await isIntact(client, number))) wrong += 1;
    return { ...watch, files, wrong };
  },
  flip: async (cluster, client) => {
    const flipped = await spoilBlocks(cluster.nodeDirectory('d1'), FLIPPED_BLOCKS);
    const startMs = performance.now();
    let wrong = 0;
    for (let number = 0; number < files; number += 1) if (!(await isIntact(client, number))) wrong += 1;
    const readS = round((performance.now() - startMs) / 1000, 1);
    // A reader meets the bad copies that it happens to be sent to; the scrub finds the others.
    const scrub = await cluster.run(['scrub', 'run']);
    if (scrub.status !== 0) throw new Error(`The scrub did not begin: ${scrub.stderr}`);
    const metByReaders = await named(cluster, 'datanode.corrupt-block');
    await poll(async () => (await named(cluster, 'repair.copy-made-up-for')) >= flipped);
    const healedS = round((performance.now() - startMs) / 1000, 1);
    const unhealthyAtFirst = await unhealthyStates(client);
    await poll(async () => (await unhealthyStates(client)).length === 0);
    const fsckCleanS = round((performance.now() - startMs) / 1000, 1);
    const [rotten, lost, healed] = [
      await named(cluster, 'datanode.corrupt-block'),
      await named(cluster, 'repair.copy-lost'),
      await named(cluster, 'repair.copy-made-up-for'),
    ];
    return {
      flipped,
      files,
      wrong,
      metByReaders,
      readS,
      healedS,
      unhealthyAtFirst,
      fsckCleanS,
      namedInLogs: { rotten, lost, healed },
    };
  },
};

const reports: Record<string, object> = {};
for (const name of values.case.split(',')) {
  const run = CASES[name];
  if (run === undefined) throw new RangeError(`There is no case ${name}: ${Object.keys(CASES).join(', ')}.`);
  const loadBefore = round(loadavg()[0] ?? 0, 1);
  await using cluster = await LocalCluster.start({
    metadataNodes: 3,
    dataNodes: DATANODES,
    replication: COPIES,
    nodeArguments: ['--log-level', 'info'],
    place: async (_name, directory) => ({
      listen: '/ip4/127.0.0.1/tcp/0',
      through: ['sh', '-c', 'exec "$0" "$@" 2>>"$LOG"'],
      env: { LOG: `${directory}${LOG_SUFFIX}` },
    }),
  });
  await using client = await cluster.connect();
  for (let number = 0; number < files; number += 1)
    await client.put(
      pathOf(number),
      content(number),
      name === 'flip' ? { blockSizeBytes: SMALL_BLOCK_BYTES } : {},
    );
  reports[name] = { loadBefore, mibPerDatanode: Number(values.mib), ...(await run(cluster, client)) };
}
console.log(values.json ? JSON.stringify(reports) : reports);

async function kill(cluster: LocalCluster, name: string): Promise<void> {
  await cluster.node(name).kill('SIGKILL');
}

/** How many different blocks the logs of all nodes name in `event`. */
async function named(cluster: LocalCluster, event: string): Promise<number> {
  const hashes = new Set<string>();
  for (const file of await readdir(cluster.directory)) {
    if (!file.endsWith(LOG_SUFFIX)) continue;
    for (const line of (await readFile(join(cluster.directory, file), 'utf8')).split('\n'))
      if (line.includes(`"${event}"`)) hashes.add(/"hash":"([0-9a-f]+)"/.exec(line)?.[1] ?? '');
  }
  return hashes.size;
}

/** What fsck says of the files that it does not call healthy. */
async function unhealthyStates(client: Client): Promise<readonly string[]> {
  const checker = client.fileChecker({});
  const states: string[] = [];
  for (let number = 0; number < files; number += 1) {
    const { state, blocks } = await checker.check(pathOf(number));
    if (state !== 'healthy')
      states.push(`${state}: ${blocks.filter((block) => block.state === state).length} blocks`);
  }
  return states;
}

async function poll(isOver: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await isOver())) {
    if (performance.now() - startMs > LIMIT_MS) throw new Error('It has not healed.');
    await pause(POLL_MS);
  }
}

async function untilHealed(client: Client): Promise<Watch> {
  const startMs = performance.now();
  const seconds = (): number => round((performance.now() - startMs) / 1000, 1);
  let deadS = 0;
  let oneLeftGoneS = 0;
  let twoLeftThen = 0;
  let twoLeftAtMost = 0;
  let missingAtMost = 0;
  for (;;) {
    const status = await client.status();
    const left = (copies: number): number =>
      status.keepers.reduce(
        (sum, keeper) => sum + (keeper.left.find((each) => each.copies === copies)?.blocks ?? 0),
        0,
      );
    if (deadS === 0 && status.dataNodes.some(({ liveness }) => liveness === 'dead')) deadS = seconds();
    missingAtMost = Math.max(missingAtMost, status.blocksMissing);
    twoLeftAtMost = Math.max(twoLeftAtMost, left(2));
    if (left(1) > 0) oneLeftGoneS = 0;
    else if (oneLeftGoneS === 0 && deadS > 0) [oneLeftGoneS, twoLeftThen] = [seconds(), left(2)];
    const isOver = deadS > 0 && status.atRiskComplete && status.blocksUnderReplicated === 0;
    if (isOver && seconds() - deadS > 1)
      return { deadS, healedS: seconds(), oneLeftGoneS, twoLeftThen, twoLeftAtMost, missingAtMost };
    if (performance.now() - startMs > LIMIT_MS) throw new Error('It has not healed.');
    await pause(POLL_MS);
  }
}

function pathOf(number: number): string {
  return `/heal-${number}`;
}

/** Told apart by the file's number, and cheap to make: repeated random-looking words. */
function content(number: number): Uint8Array {
  const words = new Uint32Array(FILE_BYTES / 4);
  let state = number + 1;
  for (let at = 0; at < words.length; at += 1)
    words[at] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer);
}

async function isIntact(client: Client, number: number): Promise<boolean> {
  const wanted = Buffer.from(content(number));
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await client.get(pathOf(number))).bytes) chunks.push(chunk);
  return wanted.equals(Buffer.concat(chunks));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
