/**
 * @module The one door to the benchmarks:
 * `npm run bench -- SUITE [--against moosefs,gluster,etcd --peers DIR] [--runs N] [--json] [--plot FILE.svg]`.
 *
 * A suite is one line here; what cannot be measured in runs beside others is a program of its own. README.md says how to
 * read the figures. DIR, or HOLDFAST_BENCH_PEERS, has the scripts of the peers (peer-scripts.ts).
 */
import { writeFile } from 'node:fs/promises';
import { BadRequest, type BenchRequest, benchRequest, optionsOf } from './bench-request.ts';
import { measureSuite } from './measure-suite.ts';
import { PeerScripts } from './peer-scripts.ts';
import type { Contender, Suite } from './suite.ts';
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
  small: {
    says: 'small files: write, read, stat, delete, beside MooseFS or GlusterFS',
    load: () => import('./small-suite.ts'),
  },
  metadata: {
    says: 'namespace changes and linearizable reads, beside etcd',
    load: () => import('./metadata-suite.ts'),
  },
  dht: {
    says: 'the location index: announcements, lookups, memory, comings and goings',
    load: () => import('./dht-suite.ts'),
  },
  rpc: {
    says: 'a byte stream and calls between two processes, beside stock libp2p',
    load: () => import('./rpc-suite.ts'),
  },
  heal: {
    says: 'how soon all copies are back after datanodes died, or are where they should be',
    load: () => import('./heal/heal-suite.ts'),
  },
  failover: {
    says: 'how long writes stand still when the leader dies or hangs, beside etcd',
    load: () => import('./failover-suite.ts'),
  },
};

/** They read their own options from the command line. */
const PROGRAMS: Readonly<Record<string, Entry<unknown>>> = {
  scale: {
    says: 'how cost grows with files, blocks, datanodes, clients',
    load: () => import('./scale/scale.ts'),
  },
  model: {
    says: 'what clusters would need that are too large to measure, and what breaks first',
    load: () => import('./scale/model.ts'),
  },
  coefficients: {
    says: 'what the model extrapolates from',
    load: () => import('./scale/measure-coefficients.ts'),
  },
  membership: { says: 'a thousand changes of membership under load', load: () => import('./membership.ts') },
  'power-cut': {
    says: 'all processes killed at once, again and again',
    load: () => import('./power-cut.ts'),
  },
};

const [name = '', ...words] = process.argv.slice(2);
const program = PROGRAMS[name];
const chosen = SUITES[name];
try {
  if (name === '--help') {
    console.log(usage());
  } else if (program !== undefined) {
    process.argv.splice(2, process.argv.length, ...words);
    await program.load();
  } else if (chosen !== undefined) {
    const { suite } = await chosen.load();
    if (words.includes('--help')) console.log(`${name}: ${chosen.says}.\n${optionsOf(name, suite)}`);
    else await runSuite(name, benchRequest(name, suite, words));
  } else {
    throw new BadRequest(`${name === '' ? '' : `There is no suite '${name}'. `}${usage()}`);
  }
} catch (error) {
  if (!(error instanceof BadRequest || isUnreadable(error))) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

function usage(): string {
  const list = Object.entries({ ...SUITES, ...PROGRAMS });
  return [
    'npm run bench -- SUITE [options], one of',
    ...list.map(([each, { says }]) => `  ${each.padEnd(14)} ${says}`),
  ].join('\n');
}

/** Whether it is what parseArgs throws at words that it does not know; programs read their own. */
function isUnreadable(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

async function runSuite(title: string, request: BenchRequest): Promise<void> {
  const { plan, against, runs, json, plot } = request;
  const peers = new PeerScripts(request.peers);
  const started: Contender[] = [];
  try {
    const ours = await plan.holdfast();
    started.push(ours);
    for (const rival of against) {
      const start = plan.peers[rival];
      if (start !== undefined) started.push(await start(peers));
    }
    const report = await measureSuite(title, plan.cases, [ours, ...started.slice(1)], {
      runs,
      onRun: (run) => json || console.error(`run ${run + 1} of ${runs}`),
    });
    console.log(json ? JSON.stringify(report) : suiteTable(report));
    if (plot !== undefined) await writeFile(plot, suitePlot(report));
  } finally {
    await Promise.all(started.map((contender) => contender.stop()));
    await peers.remove();
  }
}
