/** @module `holdfast balance`: how even the datanodes are filled, and what is going to move. */
import type { Command } from 'commander';
import { DEFAULT_BALANCE_BYTES_PER_SECOND } from '../src/namespace/limits.ts';
import {
  meanFill,
  type NodeFill,
  planBalance,
  type Transfer,
} from '../src/metadata/repair/balance-planner.ts';
import type { StatusResponse } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { formatDuration } from './duration.ts';
import { addReadCommand, type ReadFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

interface BalanceFlags extends ReadFlags {
  readonly plan?: boolean;
}

export interface BalanceView {
  /** Share of all room that is used, 0..1. */
  readonly mean: number;
  readonly nodes: readonly (NodeFill & { readonly name: string; readonly fill: number })[];
  readonly transfers: readonly Transfer[];
  readonly bytes: number;
  readonly bytesPerSecond: number;
  /** At that rate, which clients and repair may hold up. */
  readonly durationMs: number;
}

export function addBalanceCommand(program: Command, shell: Shell): void {
  addReadCommand(
    program,
    'balance',
    {
      summary:
        'how evenly the datanodes are filled; copies move by themselves while nothing is at risk ("cluster set balance-rate", "worker pause balance")',
      example: 'holdfast balance\nholdfast balance --plan',
    },
    shell.terminal,
  )
    .option('--plan', 'what moves from where to where, how many bytes, how long it takes')
    .action((flags: BalanceFlags) => showBalance(shell, flags));
}

async function showBalance(shell: Shell, flags: BalanceFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const view = balanceView(await client.status({ stale: flags.stale ?? false, signal: shell.signal }));
    await shell.output.result(view, () => balanceLines(view, flags.plan ?? false));
  });
}

/** Of the datanodes that take part: alive, and not being emptied. Pure. */
export function balanceView({ dataNodes, cluster }: StatusResponse): BalanceView {
  const nodes = dataNodes
    .filter(
      ({ member, liveness, capacityBytes }) => liveness === 'alive' && !member?.drain && capacityBytes > 0,
    )
    .map(({ member, usedBytes, freeBytes, quarantinedBytes = 0 }) => {
      const inService = Math.max(0, usedBytes - quarantinedBytes);
      const capacityBytes = usedBytes + freeBytes;
      const fill = inService / Math.max(1, capacityBytes);
      return {
        node: member?.number ?? 0,
        name: member?.name ?? '?',
        usedBytes: inService,
        capacityBytes,
        fill,
      };
    });
  const transfers = planBalance(nodes);
  const bytes = transfers.reduce((sum, transfer) => sum + transfer.bytes, 0);
  const bytesPerSecond = cluster?.balanceBytesPerSecond ?? DEFAULT_BALANCE_BYTES_PER_SECOND;
  const durationMs = Math.ceil((bytes * 1000) / bytesPerSecond);
  return { mean: meanFill(nodes), nodes, transfers, bytes, bytesPerSecond, durationMs };
}

export function balanceLines(view: BalanceView, hasPlan: boolean): readonly string[] {
  const { mean, nodes, transfers, bytes, bytesPerSecond, durationMs } = view;
  const rows = nodes.map(({ node, name, usedBytes, capacityBytes, fill }) => [
    String(node),
    name,
    formatBytes(usedBytes),
    formatBytes(capacityBytes),
    percent(fill),
  ]);
  const verdict =
    transfers.length === 0
      ? `Mean fill ${percent(mean)}; every datanode is close enough to it: nothing moves.`
      : `Mean fill ${percent(mean)}; ${formatBytes(bytes)} move, at most ${formatBytes(bytesPerSecond)}/s: about ${formatDuration(durationMs)}.`;
  return [
    ...textTable([['NODE', 'DATANODE', 'USED', 'OF', 'FILL'], ...rows], [0, 2, 3, 4]),
    '',
    verdict,
    ...(hasPlan
      ? transfers.map((each) => `  ${formatBytes(each.bytes)} from node ${each.source} to ${each.target}`)
      : []),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
