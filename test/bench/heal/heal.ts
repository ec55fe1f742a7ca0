/**
 * @module How a cluster heals, fills and empties: `npm run bench -- heal [--mib 1024] [--case idle,busy,two,…] [--json]`.
 *
 * Five datanodes and three metadata nodes as real processes; each datanode holds about `--mib` MiB of copies, three of each
 * block. Cases, each on a cluster of its own:
 * idle: kill -9 of one, default times, nobody else at work. Bar: all copies back within 45 s, 30 s of which it is not dead yet.
 * busy: the same with 3 s dead-time while clients read and write. Bar: no failed operation, none longer than 1.5 s, at least
 *       half of the undisturbed operations a second.
 * two:  two at once. Bar: nothing lost, no block with two copies left is helped before the last one with one.
 * flip: a byte is flipped in 100 block files of one datanode, and everything is read. Bar: every read right, all healed and
 *       called so by fsck, each named in the log of its datanode, and in those of the keepers when it was found and when it was healed.
 * sixth: an empty sixth datanode joins while clients work. Bar: it is within 10% of the mean fill in the end, at the rate
 *       stated (`cluster set balance-rate`), and clients are undisturbed.
 * drain: one is drained. Bar: no sample with fewer copies than before, and 60% of what the disk or the network allows.
 * restart: a datanode with `--blocks` small blocks more starts. Bar: every metadata node knows all of them within 10 s.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import { MIB } from '../../../src/common/bytes.ts';
import { startFileLoad } from '../file-load.ts';
import { round } from '../statistics.ts';
import { drain } from './heal-drain.ts';
import { content, countWrong, FILE_BYTES, pathOf } from './heal-files.ts';
import { flip } from './heal-flip.ts';
import { restart } from './heal-restart.ts';
import { type HealRun, LOG_SUFFIX } from './heal-run.ts';
import { sixth } from './heal-sixth.ts';
import { pause, untilHealed } from './heal-watch.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    blocks: { type: 'string', default: '100000' },
    case: { type: 'string', default: 'idle,busy,two' },
    json: { type: 'boolean', default: false },
  },
});
const DATANODES = 5;
const COPIES = 3;
/** Blocks of the default size: more than are flipped on each datanode would take long to write. */
const SMALL_BLOCK_BYTES: number = MIB;
const DEAD_AFTER_MS = 3_000;
/** Until all have heard of it, in milliseconds. */
const TOLD_MS = 8_000;
const UNDISTURBED_MS = 10_000;

const CASES: Readonly<Record<string, (run: HealRun) => Promise<object>>> = {
  idle: async ({ cluster, client }) => {
    await cluster.node('d1').kill('SIGKILL');
    return { ...(await untilHealed(client)), barS: 45 };
  },
  busy,
  two: async ({ cluster, client, files }) => {
    await Promise.all(['d1', 'd2'].map((name) => cluster.node(name).kill('SIGKILL')));
    return { ...(await untilHealed(client)), files, wrong: await countWrong(client, files) };
  },
  flip,
  sixth,
  drain,
  restart: (run) => restart(run, Number(values.blocks)),
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
  const files =
    name === 'restart'
      ? 1
      : Math.max(1, Math.round((Number(values.mib) * MIB * DATANODES) / COPIES / FILE_BYTES));
  const blockSize = name === 'flip' ? { blockSizeBytes: SMALL_BLOCK_BYTES } : {};
  for (let number = 0; number < files; number += 1)
    await client.put(pathOf(number), content(number), blockSize);
  reports[name] = {
    loadBefore,
    mibPerDatanode: Number(values.mib),
    ...(await run({ cluster, client, files })),
  };
}
console.log(values.json ? JSON.stringify(reports) : reports);

async function busy({ cluster, client }: HealRun): Promise<object> {
  await client.configure({ deadAfterMs: DEAD_AFTER_MS });
  await pause(TOLD_MS);
  const load = startFileLoad(client);
  const undisturbed = await load.during(() => pause(UNDISTURBED_MS));
  const healing = await load.during(async () => {
    await cluster.node('d1').kill('SIGKILL');
    return untilHealed(client);
  });
  await load.stop();
  const share = round(healing.perSecond / undisturbed.perSecond, 2);
  return { ...healing.result, undisturbed, healing: { ...healing, result: undefined }, share };
}
