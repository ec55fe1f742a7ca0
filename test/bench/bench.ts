/**
 * @module The one door to the benchmarks:
 * `npm run bench -- SUITE [--against moosefs,gluster,etcd --peers DIR] [--runs N] [--json] [--plot FILE.svg]`.
 *
 * A suite is one line here; what cannot be measured in runs beside others is a program of its own. README.md says how to
 * read the figures. DIR, or HOLDFAST_BENCH_PEERS, has the scripts of the peers (peer-scripts.ts).
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { measureSuite } from './measure-suite.ts';
import { PeerScripts } from './peer-scripts.ts';
import type { Contender, Plan, Suite } from './suite.ts';
import { suitePlot } from './suite-plot.ts';
import { suiteTable } from './suite-table.ts';

interface Entry<T> {
  readonly says: string;
  readonly load: () => Promise<T>;
}

const SUITES: Readonly<Record<string, Entry<{ readonly suite: Suite }>>> = {
  bulk: {
    says: 'big files, put and got, beside MooseFS or GlusterFS',
    load: () => import('./bulk-suite.ts'),
  },
  metadata: {
    says: 'namespace changes and linearizable reads, beside etcd',
    load: () => import('./metadata-suite.ts'),
  },
  rpc: {
    says: 'a byte stream and calls between two processes, beside stock libp2p',
    load: () => import('./rpc-suite.ts'),
  },
  small: { says: 'small files: write, read, stat, delete', load: () => import('./small-suite.ts') },
};

/** They read their own options from the command line. */
const PROGRAMS: Readonly<Record<string, Entry<unknown>>> = {
  failover: {
    says: 'how long writes stand still when the leader dies or hangs',
    load: () => import('./failover.ts'),
  },
  heal: {
    says: 'how soon all copies are back after datanodes died, or are where they should be',
    load: () => import('./heal/heal.ts'),
  },
  dht: { says: 'the location index: announcements and lookups', load: () => import('./dht.ts') },
  membership: { says: 'a thousand changes of membership under load', load: () => import('./membership.ts') },
  'power-cut': {
    says: 'all processes killed at once, again and again',
    load: () => import('./power-cut.ts'),
  },
};

const [name = '', ...words] = process.argv.slice(2);
const program = PROGRAMS[name];
const chosen = SUITES[name];
if (program !== undefined) {
  process.argv.splice(2, process.argv.length, ...words);
  await program.load();
} else if (chosen !== undefined) {
  await runSuite(name, (await chosen.load()).suite);
} else {
  const list = Object.entries({ ...SUITES, ...PROGRAMS }).map(
    ([each, { says }]) => `  ${each.padEnd(14)} ${says}`,
  );
  console.error(['npm run bench -- SUITE [options], one of', ...list].join('\n'));
  process.exitCode = 2;
}

async function runSuite(title: string, suite: Suite): Promise<void> {
  const own = Object.entries(suite.options).map(
    ([option, fallback]) => [option, { type: 'string', default: fallback }] as const,
  );
  const { values } = parseArgs({
    args: words,
    options: {
      ...Object.fromEntries(own),
      against: { type: 'string', default: '' },
      peers: { type: 'string', default: process.env['HOLDFAST_BENCH_PEERS'] ?? '' },
      runs: { type: 'string', default: String(suite.runs) },
      json: { type: 'boolean', default: false },
      plot: { type: 'string' },
    },
  });
  const text: Readonly<Record<string, unknown>> = values;
  const plan = suite.plan(Object.fromEntries(own.map(([option]) => [option, String(text[option])])));
  const rivals = values.against.split(',').filter((each) => each !== '');
  const wrong = mistakeIn(plan, rivals, values.peers);
  if (wrong !== undefined) {
    console.error(wrong);
    process.exitCode = 2;
    return;
  }
  const peers = new PeerScripts(values.peers);
  const started: Contender[] = [];
  try {
    const ours = await plan.holdfast();
    started.push(ours);
    for (const rival of rivals) started.push(await startRival(plan, rival, peers));
    const report = await measureSuite(title, plan.cases, [ours, ...started.slice(1)], {
      runs: Number(values.runs),
      onRun: (run) => values.json || console.error(`run ${run + 1} of ${values.runs}`),
    });
    console.log(values.json ? JSON.stringify(report) : suiteTable(report));
    if (values.plot !== undefined) await writeFile(values.plot, suitePlot(report));
  } finally {
    await Promise.all(started.map((contender) => contender.stop()));
    await peers.remove();
  }
}

/** What is wrong with what was asked for, if anything. */
function mistakeIn(
  { peers, withoutScripts = [] }: Plan,
  rivals: readonly string[],
  folder: string,
): string | undefined {
  const unknown = rivals.find((rival) => peers[rival] === undefined);
  if (unknown !== undefined)
    return `'${unknown}' cannot be measured here. --against takes: ${Object.keys(peers).join(', ') || 'nobody'}.`;
  if (rivals.some((rival) => !withoutScripts.includes(rival)) && folder === '')
    return 'Say with --peers DIR or HOLDFAST_BENCH_PEERS where the scripts of the peers are.';
  return undefined;
}

async function startRival({ peers }: Plan, rival: string, scripts: PeerScripts): Promise<Contender> {
  const start = peers[rival];
  if (start === undefined) throw new RangeError(`There is no peer ${rival}.`);
  return start(scripts);
}
