/** @module `holdfast node drain`, `undrain` and `remove`: how a datanode leaves without a copy being missed. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { DataNodeStatus, StatusResponse } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { copyLimit, shareOfLimit } from './copy-limit.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { addRemoveOptions, type RemoveFlags, removeNode } from './cluster-remove.ts';
import { memberNumber } from './member-name.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { createProgress } from './progress-bar.ts';
import { pausedText, stuckText, unknownShardsOf, unknownText } from './repair-progress.ts';
import type { Shell } from './shell.ts';

interface DrainFlags extends ClientFlags {
  readonly wait?: boolean;
}

const POLL_MS = 1_000;

export function addDrainCommands(group: Command, shell: Shell): void {
  const { terminal } = shell;
  addClientCommand(
    group,
    'drain <node>',
    {
      summary:
        'have the copies of a datanode (by number or name) brought elsewhere, before it is removed; goes on by itself whoever waits, and may be repeated',
      example: 'holdfast node drain 4 --wait\nholdfast node remove 4',
    },
    terminal,
  )
    .option('--wait', 'until none of its copies is needed any more')
    .action((node: string, flags: DrainFlags) => drain(shell, node, flags));
  addClientCommand(
    group,
    'undrain <node>',
    { summary: 'let a datanode that was drained take copies again', example: 'holdfast node undrain 4' },
    terminal,
  ).action((node: string, flags: ClientFlags) => undrain(shell, node, flags));
  addRemoveOptions(
    addClientCommand(
      group,
      'remove <node>',
      {
        summary: 'take a node out for good; as "cluster remove"',
        example: 'holdfast node remove 4 --dry-run\nholdfast node remove 4',
      },
      terminal,
    ),
  ).action((node: string, flags: RemoveFlags) => removeNode(shell, node, flags));
}

async function drain(shell: Shell, node: string, flags: DrainFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const number = await memberNumber(client, node, shell.signal);
    const member = await client.drain(number, { signal: shell.signal });
    const drained = flags.wait ? await untilDrained(shell, client, number) : member?.drain === 'drained';
    const state = drained ? 'drained' : 'draining';
    await shell.output.result({ number, name: member?.name, state }, () =>
      drained
        ? [`Node ${number} (${member?.name}) is drained: "holdfast node remove ${number}" loses nothing.`]
        : [
            `Node ${number} (${member?.name}) drains. "holdfast cluster status" shows how far it is; "node drain ${number} --wait" waits.`,
          ],
    );
  });
}

async function undrain(shell: Shell, node: string, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const number = await memberNumber(client, node, shell.signal);
    const member = await client.undrain(number, { signal: shell.signal });
    await shell.output.result({ number, name: member?.name, state: 'active' }, () => [
      `Node ${number} (${member?.name}) takes copies again.`,
    ]);
  });
}

/** False when the drain was called off, or the node removed, meanwhile. */
async function untilDrained(shell: Shell, client: Client, number: number): Promise<boolean> {
  const { signal } = shell;
  let note = '';
  const progress = createProgress(shell.output, shell.terminal, { label: 'drain' });
  let mostBytes = 0;
  try {
    for (;;) {
      const status = await client.status({ signal });
      const datanode = status.dataNodes.find(({ member }) => member?.number === number);
      if (datanode?.member?.drain !== 'draining') return datanode?.member?.drain === 'drained';
      const leftBytes = datanode.departingBytes ?? 0;
      if (leftBytes > mostBytes) {
        progress.expect(leftBytes - mostBytes);
        mostBytes = leftBytes;
      }
      progress.update('drain', mostBytes - leftBytes);
      const stuck = stuckOn(status, number);
      if (stuck !== note && stuck !== '' && !progress.isDrawn) shell.output.warn(`node ${number}: ${stuck}`);
      note = stuck;
      await pause(POLL_MS, signal);
    }
  } finally {
    progress.stop();
  }
}

/** One line of `cluster status` for a datanode that is being emptied. */
export function drainLine(
  status: StatusResponse,
  { member, departingBlocks = 0, departingBytes = 0 }: DataNodeStatus,
): string {
  const name = `Node ${member?.number} (${member?.name})`;
  if (member?.drain === 'drained') return `${name} is drained and may be removed.`;
  // Right after it began, and when the last copy is made: the keepers walk over everything once more.
  if (departingBlocks === 0) {
    const unknown = unknownText(unknownShardsOf(status.keepers));
    return `${name} drains: what is still needed on it is being counted${unknown === '' ? '' : `; ${unknown}`}`;
  }
  const rate = status.keepers.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
  const share = shareOfLimit(rate, copyLimit(status.dataNodes));
  const eta =
    rate > 0 && departingBytes > 0
      ? ` at ${formatBytes(rate)}/s${share === '' ? '' : ` (${share})`}, done in about ${formatDuration((departingBytes * 1000) / rate)}`
      : '';
  const stuck = stuckOn(status, member?.number ?? 0);
  const left = `${counted(departingBlocks, 'block')} (${formatBytes(departingBytes)}) still to be brought elsewhere${eta}`;
  return `${name} drains: ${left}${stuck === '' ? '' : `; ${stuck}`}`;
}

function stuckOn({ keepers }: StatusResponse, number: number): string {
  const departures = keepers.flatMap((keeper) => keeper.departures).filter(({ node }) => node === number);
  const stuck = Map.groupBy(
    departures.flatMap((each) => each.stuck),
    ({ reason }) => reason,
  );
  const reasons = [...stuck]
    .filter(([reason]) => reason !== 'busy')
    .map(([reason, parts]) =>
      stuckText(
        reason,
        parts.reduce((sum, { blocks }) => sum + blocks, 0),
      ),
    );
  return [pausedText(keepers), unknownText(unknownShardsOf(keepers)), ...reasons]
    .filter((reason) => reason !== '')
    .join('; ');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
