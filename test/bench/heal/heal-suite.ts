/**
 * @module How a cluster heals, fills and empties: `npm run bench -- heal [--mib 1024] [--blocks 100000]
 * [--case idle,busy,two,flip,sixth,drain,restart]`.
 *
 * Five datanodes and three metadata nodes as real processes; each datanode holds about `--mib` MiB of copies, three of each
 * block. Cases, each on a cluster of its own; the figure is the time until the last of it is done:
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
import { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import { MIB } from '../../../src/common/bytes.ts';
import { chosenOf } from '../bench-request.ts';
import { type PartCase, PartContender } from '../part-contender.ts';
import type { Suite } from '../suite.ts';
import { busy } from './heal-busy.ts';
import { drain } from './heal-drain.ts';
import { content, countWrong, FILE_BYTES, pathOf } from './heal-files.ts';
import { flip } from './heal-flip.ts';
import { restart } from './heal-restart.ts';
import { type HealRun, LOG_SUFFIX } from './heal-run.ts';
import { sixth } from './heal-sixth.ts';
import { untilHealed, type Watch } from './heal-watch.ts';

const DATANODES = 5;
const COPIES = 3;
/** Blocks of the default size: more than are flipped on each datanode would take long to write. */
const SMALL_BLOCK_BYTES: number = MIB;

interface HealSize {
  /** Of copies on each datanode. */
  readonly mib: number;
  /** Small blocks more, for `restart`. */
  readonly blocks: number;
}

const defaults = { case: 'idle,busy,two', mib: 1024, blocks: 100_000 };

export const suite: Suite<PartCase, typeof defaults> = {
  options: defaults,
  runs: 1,
  plan({ case: named, ...size }) {
    return {
      cases: chosenOf(named, casesOf(size)),
      holdfast: async () =>
        new PartContender('3 copies fsynced and announced; all copies encrypted and verified'),
      peers: {},
    };
  },
};

function casesOf({ mib, blocks }: HealSize): PartCase[] {
  const caseOf = <Report extends object>(
    name: string,
    work: (run: HealRun) => Promise<Report>,
    figure: (report: Report) => number,
    stored: { readonly mib?: number; readonly blockSizeBytes?: number } = {},
  ): PartCase => ({
    name,
    unit: 's',
    per: 'the whole case',
    run: () => onCluster({ mib, ...stored }, work),
    figure,
  });
  return [
    caseOf('idle', idle, ({ healedS }) => healedS),
    caseOf('busy', busy, ({ healedS }) => healedS),
    caseOf('two', two, ({ healedS }) => healedS),
    caseOf('flip', flip, ({ fsckCleanS }) => fsckCleanS, { blockSizeBytes: SMALL_BLOCK_BYTES }),
    caseOf('sixth', sixth, ({ evenS }) => evenS),
    caseOf('drain', drain, ({ drainedS }) => drainedS),
    caseOf(
      'restart',
      (run) => restart(run, blocks),
      ({ everythingNew }) => everythingNew.announcedS,
      { mib: 1 },
    ),
  ];
}

async function onCluster<Report>(
  { mib, blockSizeBytes }: { readonly mib: number; readonly blockSizeBytes?: number },
  work: (run: HealRun) => Promise<Report>,
): Promise<Report> {
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
  const files = Math.max(1, Math.round((mib * MIB * DATANODES) / COPIES / FILE_BYTES));
  for (let number = 0; number < files; number += 1)
    await client.put(pathOf(number), content(number), blockSizeBytes === undefined ? {} : { blockSizeBytes });
  return await work({ cluster, client, files });
}

async function idle({ cluster, client }: HealRun): Promise<Watch> {
  await cluster.node('d1').kill('SIGKILL');
  return untilHealed(client);
}

async function two({ cluster, client, files }: HealRun): Promise<Watch> {
  await Promise.all(['d1', 'd2'].map((name) => cluster.node(name).kill('SIGKILL')));
  const healed = await untilHealed(client);
  const wrong = await countWrong(client, files);
  if (wrong > 0) throw new Error(`${wrong} of ${files} files are not what was put.`);
  return healed;
}
