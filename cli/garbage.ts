/** @module `holdfast gc`: what waits to be deleted, a round now, pause, resume, and bringing everything back. */
import type { Command } from 'commander';
import type { NodeAnswer } from '../src/client/cluster-nodes.ts';
import type { Collection } from '../src/namespace/schema.ts';
import type { CollectionReport } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { addGarbageSetCommand } from './garbage-set.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

interface RunFlags extends ClientFlags {
  readonly dryRun?: boolean;
}

export function addGarbageCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const group = program
    .command('gc')
    .description('garbage collection: blocks that no file refers to are put aside, and deleted much later');
  addClientCommand(
    group,
    'status',
    { summary: 'what waits on which datanode, and what was deleted', example: 'holdfast gc status' },
    terminal,
  ).action((flags: ClientFlags) => status(shell, flags));
  addClientCommand(
    group,
    'run',
    {
      summary: 'begin a round on every datanode now',
      example: 'holdfast gc run --dry-run\nholdfast gc run',
    },
    terminal,
  )
    .option('--dry-run', 'look through everything and say what a round would put aside; change nothing')
    .action((flags: RunFlags) => (flags.dryRun ? preview(shell, flags) : run(shell, flags)));
  addClientCommand(
    group,
    'undo',
    {
      summary:
        'bring back everything that was put aside and is not deleted yet; collection stays paused until "gc resume"',
      example: 'holdfast gc undo\nholdfast gc resume',
    },
    terminal,
  ).action((flags: ClientFlags) => undo(shell, flags));
  addGarbageSetCommand(group, shell);
  for (const [verb, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const)
    addClientCommand(
      group,
      verb,
      {
        summary: paused ? 'put nothing more aside and delete nothing' : 'go on after a pause or an undo',
        example: `holdfast gc ${verb}`,
      },
      terminal,
    ).action((flags: ClientFlags) => setPaused(shell, flags, paused));
}

async function status(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const { signal } = shell;
    const [settings, answers] = await Promise.all([
      collection.settings({ signal }),
      collection.reports({ signal }),
    ]);
    await shell.output.result({ ...settings, nodes: answers.map(asJson) }, () => [
      settingsLine(settings),
      '',
      ...textTable(
        [
          ['NODE', 'NAME', 'NO FILE HAS', 'TOO YOUNG', 'PUT ASIDE', 'OLDEST', 'DELETED', 'LAST ROUND'],
          ...answers.map(statusRow),
        ],
        [0],
      ),
      ...answers.flatMap(stuckLine),
    ]);
  });
}

async function preview(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const answers = await collection.reports({ preview: true, signal: shell.signal });
    await shell.output.result({ dryRun: true, nodes: answers.map(asJson) }, () => [
      ...textTable(
        [
          ['NODE', 'NAME', 'WOULD PUT ASIDE', 'TOO YOUNG YET'],
          ...answers.map(({ member, answer }) => [
            String(member.number),
            member.name,
            ...(answer === undefined
              ? ['no answer', '']
              : [
                  amount(answer.collectableBlocks, answer.collectableBytes),
                  amount(answer.youngBlocks, answer.youngBytes),
                ]),
          ]),
        ],
        [0],
      ),
    ]);
  });
}

async function run(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const { signal } = shell;
    const settings = await collection.settings({ signal });
    const answers = await collection.run({ signal });
    const begun = answers.filter(({ failure }) => failure === undefined).length;
    const silent = answers.flatMap(({ member, failure }) =>
      failure ? [{ node: member.number, ...failure }] : [],
    );
    await shell.output.result({ begun, silent, paused: settings.paused }, () => [
      `A round begins on ${counted(begun, 'datanode')}; "holdfast gc status" shows what it finds.`,
      ...silent.map(({ node, message }) => `Node ${node} does not take part: ${message}`),
      ...(settings.paused
        ? ['Collection is paused: it looks, and changes nothing. See "holdfast gc resume".']
        : []),
    ]);
  });
}

async function undo(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const settings = await collection.undo({ signal: shell.signal });
    await shell.output.result(settings, () => [
      'What was put aside comes back on every datanode, also on those that are away now when they return.',
      'Collection is paused until "holdfast gc resume".',
    ]);
  });
}

async function setPaused(shell: Shell, flags: ClientFlags, paused: boolean): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const settings = await collection.configure({ paused }, { signal: shell.signal });
    await shell.output.result(settings, () => `Garbage collection ${paused ? 'is paused' : 'goes on'}.`);
  });
}

function settingsLine({ era, eraMs, graceMs, paused }: Collection): string {
  const state = paused ? 'PAUSED ("holdfast gc resume" goes on)' : 'running';
  return `Garbage collection is ${state}. What no file refers to is put aside after one to two eras of ${formatDuration(eraMs)} (this is era ${era}), and deleted ${formatDuration(graceMs)} later.`;
}

function statusRow({ member, answer }: NodeAnswer<CollectionReport>): string[] {
  const name = [String(member.number), member.name];
  if (answer === undefined) return [...name, 'no answer', '', '', '', '', ''];
  const { oldestMs, roundMs } = answer;
  return [
    ...name,
    amount(answer.collectableBlocks, answer.collectableBytes),
    amount(answer.youngBlocks, answer.youngBytes),
    amount(answer.quarantinedBlocks, answer.quarantinedBytes),
    oldestMs === 0 ? '' : new Date(oldestMs).toISOString(),
    amount(answer.deletedBlocks, answer.deletedBytes),
    roundMs === 0 ? 'none yet' : new Date(roundMs).toISOString(),
  ];
}

function stuckLine({ member, answer }: NodeAnswer<CollectionReport>): string[] {
  if (answer === undefined || answer.stuck === '') return [];
  return [`Node ${member.number} is stuck: ${answer.stuckMessage} [${answer.stuck}]`];
}

function asJson({ member, answer, failure }: NodeAnswer<CollectionReport>): unknown {
  return { ...answer, node: member.number, name: member.name, ...(failure && { failure }) };
}

function amount(blocks: number, bytes: number): string {
  return blocks === 0 ? '0' : `${counted(blocks, 'block')}, ${formatBytes(bytes)}`;
}
