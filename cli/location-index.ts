/** @module `holdfast dht`: the location index, holder by holder, shard by shard, and one lookup step by step. */
import type { Command } from 'commander';
import { toHex } from '../src/common/bytes.ts';
import type {
  IndexLookupResponse,
  IndexNode,
  IndexOverviewResponse,
  IndexStatusResponse,
} from '../src/protocol/index-view.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { usage } from './errors.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

const HASH = /^[0-9a-f]{64}$/;
const SHARD_DIGITS = 3;

/** Loaded when it is needed: it brings packages that no other command wants. */
type IndexView = typeof import('../src/protocol/index-view.ts');

function loadView(): Promise<IndexView> {
  return import('../src/protocol/index-view.ts');
}

export function addIndexCommands(program: Command, shell: Shell): void {
  const group = program
    .command('dht')
    .description('the location index: which metadata nodes know where which blocks are');
  addClientCommand(
    group,
    'status',
    {
      summary: 'every holder of the index: its epoch, shards, records, and what it knows of each datanode',
      example: 'holdfast dht status\nholdfast dht status --json | jq .nodes',
    },
    shell.terminal,
  ).action((flags: ClientFlags) => showStatus(shell, flags));
  addClientCommand(
    group,
    'lookup <block>',
    {
      summary: 'find the holders of a block, and show every question asked on the way',
      example: 'holdfast dht lookup $(holdfast locate /photos/cat.jpg --json | jq -r ".blocks[0].hash")',
    },
    shell.terminal,
  ).action((block: string, flags: ClientFlags) => lookUp(shell, block, flags));
  addClientCommand(
    group,
    'shards',
    {
      summary: 'which metadata nodes hold which of the 4096 shards, and whether they know everything of it',
      example:
        'holdfast dht shards | head\nholdfast dht shards --json | jq ".shards[] | select(.complete | length < 2)"',
    },
    shell.terminal,
  ).action((flags: ClientFlags) => showShards(shell, flags));
}

async function showStatus(shell: Shell, flags: ClientFlags): Promise<void> {
  const view = await loadView();
  await shell.withClient(flags, async (client) => {
    const overview = await client.locationIndex({ signal: shell.signal });
    await shell.output.result(
      {
        epoch: view.describeEpoch(overview.epoch),
        answeredBy: overview.answeredBy,
        nodes: overview.nodes.map((node) => nodeValue(view, node)),
      },
      () => statusScreen(view, overview),
    );
  });
}

function nodeValue({ describeEpoch }: IndexView, { status, ...node }: IndexNode): object {
  if (status === undefined) return node;
  const { epoch, nodes, ownedBitmap: _owned, completeBitmap: _complete, ...figures } = status;
  const datanodes = nodes.map(({ digest, ...known }) => ({ ...known, digest: toHex(digest) }));
  return { ...node, ...figures, epoch: describeEpoch(epoch), datanodes };
}

function statusScreen(
  { describeEpoch, SHARD_COUNT }: IndexView,
  { epoch, answeredBy, nodes }: IndexOverviewResponse,
): string[] {
  const holders = nodes.map(({ number, name, away, milliseconds, status, failure }) => [
    String(number),
    name,
    status === undefined ? '' : describeEpoch(status.epoch),
    status === undefined ? '' : `${status.complete} of ${status.owned}`,
    String(status?.leaving ?? ''),
    String(status?.records ?? ''),
    status === undefined ? '' : formatBytes(status.bytes),
    String(status?.recordsOnDisk ?? ''),
    status === undefined ? '' : formatBytes(status.bytesOnDisk),
    milliseconds.toFixed(1),
    failure || (away ? 'away' : diskComplaint(status)),
  ]);
  const datanodes = nodes.flatMap(({ number, status }) =>
    (status?.nodes ?? []).map(({ node, records, generation, sequence, confirmed, digest }) => [
      String(node),
      String(number),
      String(records),
      `${generation}.${sequence}`,
      String(confirmed),
      toHex(digest),
    ]),
  );
  return [
    `Epoch ${describeEpoch(epoch)}, as node ${answeredBy} knows it: ${SHARD_COUNT} shards on ${counted(nodes.length, 'metadata node')}.`,
    '',
    ...textTable(
      [
        ['NODE', 'HOLDER', 'EPOCH', 'COMPLETE', 'LEAVING', 'RECORDS', 'MEMORY', 'ON DISK', 'DISK', 'MS', ''],
        ...holders,
      ],
      [0, 4, 5, 6, 7, 8, 9],
    ),
    '',
    ...textTable(
      [
        ['DATANODE', 'KNOWN TO', 'RECORDS', 'LAST BATCH', 'SHARDS AGREED', 'DIGEST'],
        ...datanodes.toSorted(byFirst),
      ],
      [0, 1, 2, 4],
    ),
  ];
}

function diskComplaint(status: IndexStatusResponse | undefined): string {
  const failure = status?.diskFailure ?? '';
  return failure === '' ? '' : `cannot write to disk: ${failure}`;
}

function byFirst([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return Number(a) - Number(b);
}

async function lookUp(shell: Shell, block: string, flags: ClientFlags): Promise<void> {
  const hash = block.toLowerCase();
  if (!HASH.test(hash))
    throw usage(
      `'${block}' is no block hash of 64 hex digits; \`holdfast locate --json\` and \`lshere\` tell them.`,
    );
  const view = await loadView();
  await shell.withClient(flags, async (client) => {
    const answer = await client.explainLookup(hash, { signal: shell.signal });
    const { shard, epoch, ...rest } = answer;
    await shell.output.result(
      { block: hash, shard: shardName(shard), epoch: view.describeEpoch(epoch), ...rest },
      () => lookupScreen(view, hash, answer),
    );
  });
}

function lookupScreen({ describeEpoch }: IndexView, hash: string, answer: IndexLookupResponse): string[] {
  const { shard, epoch, holders, steps, nodes, answeredBy, milliseconds, failure } = answer;
  const result = nodes.length === 0 ? 'Nobody holds it.' : `Held by ${nodes.join(', ')}.`;
  return [
    `Block ${hash}: shard ${shardName(shard)}, held by metadata nodes ${holders.join(', ')} in epoch ${describeEpoch(epoch)}.`,
    '',
    ...textTable(
      [
        ['HOP', 'ASKED', 'MS', 'ANSWER'],
        ...steps.map(({ asked, found, complete, milliseconds: ms, failure: reason }, hop) => [
          String(hop + 1),
          String(asked),
          ms.toFixed(2),
          reason ||
            `${found > 0 ? 'found' : 'not found'}${complete ? '' : ', does not know everything of the shard'}`,
        ]),
      ],
      [0, 1, 2],
    ),
    '',
    `${failure || result} Looked up by node ${answeredBy} in ${milliseconds.toFixed(2)} ms.`,
  ];
}

async function showShards(shell: Shell, flags: ClientFlags): Promise<void> {
  const view = await loadView();
  await shell.withClient(flags, async (client) => {
    const overview = await client.locationIndex({ holders: true, signal: shell.signal });
    const shards = shardLines(view, overview);
    await shell.output.result({ epoch: view.describeEpoch(overview.epoch), shards }, () =>
      textTable([
        ['SHARD', 'HOLDERS', 'COMPLETE AT'],
        ...shards.map(({ shard, holders, complete }) => [
          shard,
          holders.join(' '),
          complete.join(' ') || 'nobody',
        ]),
      ]),
    );
  });
}

interface ShardLine {
  readonly shard: string;
  /** Closest first. */
  readonly holders: readonly number[];
  /** All that know everything of it, former holders included. */
  readonly complete: readonly number[];
}

function shardLines(
  { SHARD_COUNT, shardsIn }: IndexView,
  { holders, perShard, nodes }: IndexOverviewResponse,
): ShardLine[] {
  const complete = nodes.flatMap(({ number, status }) =>
    status === undefined ? [] : [{ number, shards: shardsIn(status.completeBitmap) }],
  );
  return Array.from({ length: SHARD_COUNT }, (_, shard) => ({
    shard: shardName(shard),
    holders: holders.slice(shard * perShard, (shard + 1) * perShard),
    complete: complete.filter(({ shards }) => shards.has(shard)).map(({ number }) => number),
  }));
}

function shardName(shard: number): string {
  return shard.toString(16).padStart(SHARD_DIGITS, '0');
}
