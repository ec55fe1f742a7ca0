/** @module `holdfast scrub`: how far the datanodes are with reading everything they hold, and what they found. */
import type { Command } from 'commander';
import { addClientCommand, type ClientFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';
import { addNodeOption, control, type WorkerFlags } from './workers.ts';

const SCRUB = 'scrub';

export function addScrubCommands(program: Command, shell: Shell): void {
  const group = program
    .command('scrub')
    .description('every copy is read and compared with its SHA-256 within two weeks; bad ones are made anew');
  addClientCommand(
    group,
    'status',
    { summary: 'how far each datanode is, and what it found', example: 'holdfast scrub status' },
    shell.terminal,
  ).action((flags: ClientFlags) => status(shell, flags));
  for (const [action, summary] of [
    ['run', 'begin a pass now, and read quickly'],
    ['pause', 'read no further until "scrub resume"'],
    ['resume', 'go on after a pause'],
  ] as const)
    addNodeOption(
      addClientCommand(
        group,
        action,
        { summary, example: `holdfast scrub ${action}\nholdfast scrub ${action} --node 3` },
        shell.terminal,
      ),
    ).action((flags: WorkerFlags) => control(shell, SCRUB, action, flags));
}

async function status(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ workers }) => {
    const answers = await workers.list('data', { signal: shell.signal });
    const nodes = answers.map(({ member, answer, failure }) => {
      const scrub = answer?.workers.find(({ name }) => name === SCRUB);
      const { number: node, name } = member;
      const { state = 'no answer', progress = failure?.message ?? '', stuck = '' } = scrub ?? {};
      return { node, name, state, progress, stuck };
    });
    await shell.output.result({ nodes }, () =>
      textTable(
        [
          ['NODE', 'NAME', 'STATE', ''],
          ...nodes.map(({ node, name, state, progress }) => [String(node), name, state, progress]),
        ],
        [0],
      ),
    );
  });
}
