/** @module `holdfast explain`: everything on the way from a path to its bytes, how long each step took, and what is wrong. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { BlockCheck, FileCheck, FileState } from '../src/client/file-check.ts';
import { toHex } from '../src/common/bytes.ts';
import type { IndexLookupResponse } from '../src/protocol/index-view.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { formatDuration, formatTime } from './duration.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { remotePath } from './remote-path.ts';
import { repairProgress } from './repair-progress.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

/** Hex digits of a hash that say its shard. */
const SHARD_DIGITS = 3;

/** Blocks whose lookup is shown hop by hop. */
const MAX_LOOKUPS = 8;

const NEXT: Readonly<Record<FileState, string>> = {
  healthy: 'Nothing is wrong.',
  misplaced:
    'Copies share a machine, a group of machines or a zone though others could have them: they are moved apart by themselves.',
  'under-replicated':
    'Copies are missing: the keeper of each shard makes them anew from the others; "holdfast cluster status" shows rate and time left.',
  corrupt: 'A bad copy was found: it is out of service, and made anew from a good one.',
  missing:
    'No datanode that answers has a block of it. Start the datanodes that are away ("holdfast cluster status"); "holdfast gc undo" if it was put aside.',
};

interface Step {
  readonly step: string;
  readonly latencyMs: number;
}

type Lookup = IndexLookupResponse & { readonly position: number };

export function addExplainCommand(program: Command, shell: Shell): void {
  addClientCommand(
    program,
    'explain <path>',
    {
      summary: 'how a file is found, which copies it really has, what is wrong and what happens next',
      example: 'holdfast explain /photos/cat.jpg',
    },
    shell.terminal,
  ).action((path: string, flags: ClientFlags) => explain(shell, remotePath(path), flags));
}

async function explain(shell: Shell, path: string, flags: ClientFlags): Promise<void> {
  const { signal } = shell;
  await shell.withClient(flags, async (client) => {
    const steps: Step[] = [];
    const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
      const startMs = performance.now();
      const result = await work();
      steps.push({ step, latencyMs: Math.round((performance.now() - startMs) * 10) / 10 });
      return result;
    };
    const stat = await timed('namespace entry, linearizable', () => client.stat(path, { signal }));
    const status = await timed('raft index', () => client.status({ stale: true, signal }));
    const { applied, answeredBy } = status;
    if (stat.kind !== 'file') {
      await shell.output.result({ path, stat, raftIndex: applied, steps }, () => [
        `${path} is a ${stat.kind}: it has no blocks.`,
      ]);
      return;
    }
    const { blocks: located } = await timed('blocks and their holders, from the location index', () =>
      client.locate(path, { signal }),
    );
    const lookups = await lookUp(client, located, signal);
    const check = await timed('copies, from the datanodes themselves', () =>
      client.fileChecker({ signal }).check(path),
    );
    const blocks = check.blocks.map((block) => ({ ...block, shard: block.hash.slice(0, SHARD_DIGITS) }));
    const { state } = check;
    const { etaMs } = repairProgress(status);
    const next = nextOf(state, etaMs);
    const value = { path, stat, raftIndex: applied, answeredBy, state, next, etaMs, blocks, steps, lookups };
    await shell.output.result(value, () =>
      screen(path, check, { applied, answeredBy, next, lookups }, steps),
    );
  });
}

function screen(
  path: string,
  { stat, state, blocks }: FileCheck,
  {
    applied,
    answeredBy,
    next,
    lookups,
  }: {
    readonly applied: number;
    readonly answeredBy: number;
    readonly next: string;
    readonly lookups: readonly Lookup[];
  },
  steps: readonly Step[],
): readonly string[] {
  return [
    `${path}: ${formatBytes(stat.sizeBytes)} in ${counted(blocks.length, 'block')}, ${counted(stat.replication, 'copy')} wanted; inode ${stat.inode}, version ${stat.version}, at raft index ${applied} (node ${answeredBy})`,
    '',
    ...textTable(steps.map(({ step, latencyMs }) => [`${latencyMs.toFixed(1)} ms`, step])),
    '',
    ...textTable([['BLOCK', 'LOOKED UP BY', 'ITS SHARD IS HELD BY', 'ASKED'], ...lookups.map(lookupRow)]),
    '',
    ...textTable([
      ['BLOCK', 'HASH', 'SHARD', 'STATE', 'COPIES'],
      ...blocks.map((block) => [
        String(block.position),
        block.hash.slice(0, 12),
        block.hash.slice(0, SHARD_DIGITS),
        block.state,
        copiesOf(block),
      ]),
    ]),
    '',
    `${state}. ${next}`,
  ];
}

/** Each by itself, as a client without a plan would: of large files the first few. */
async function lookUp(
  client: Client,
  blocks: readonly { readonly hash: Uint8Array }[],
  signal: AbortSignal,
): Promise<readonly Lookup[]> {
  const lookups: Lookup[] = [];
  for (const [position, { hash }] of blocks.slice(0, MAX_LOOKUPS).entries())
    lookups.push({ position, ...(await client.explainLookup(toHex(hash), { signal })) });
  return lookups;
}

function lookupRow({ position, answeredBy, holders, steps, failure }: Lookup): readonly string[] {
  const asked = steps.map(
    ({ asked: node, found, milliseconds, failure: reason }) =>
      `${node}: ${reason || (found > 0 ? 'found' : 'not found')} in ${milliseconds.toFixed(2)} ms`,
  );
  return [
    String(position),
    `node ${answeredBy}`,
    `nodes ${holders.join(', ')}`,
    asked.join('; ') + (failure === '' ? '' : `; ${failure}`),
  ];
}

/** The time is that of everything at risk: the file's own blocks may have their turn sooner, as they are in more danger. */
export function nextOf(state: FileState, etaMs: number | undefined): string {
  const isRepaired = state === 'under-replicated' || state === 'corrupt';
  if (!isRepaired || etaMs === undefined) return NEXT[state];
  return `${NEXT[state]} Everything at risk has its copies in about ${formatDuration(etaMs)}.`;
}

function copiesOf({ copies }: BlockCheck): string {
  if (copies.length === 0) return 'nobody is known to have one';
  return copies
    .map(({ node, name, host, state, verifiedMs }) => {
      const verified = verifiedMs === 0 ? '' : `, read whole since ${formatTime(verifiedMs)}`;
      return `${node}:${name}@${host} ${state}${verified}`;
    })
    .join('; ');
}
