/** @module `holdfast worker`: what nodes do in the background, and holding some of it. */
import type { Command } from 'commander';
import type { NodeAnswer } from '../src/client/cluster-nodes.ts';
import type { WorkerAction, WorkerRole } from '../src/client/workers-client.ts';
import { workersFailed } from './errors.ts';
import { addClientCommand, type ClientFlags, wholeNumber } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

export interface WorkerFlags extends ClientFlags {
  readonly node?: number;
}

const ROLES: readonly WorkerRole[] = ['meta', 'data'];
const MAX_MEMBER_NUMBER = 2 ** 31;
/** Nodes of the other role say so. */
const NOT_HERE = 'PROTOCOL_NO_SUCH_WORKER';

export function addWorkerCommands(program: Command, shell: Shell): void {
  const group = program.command('worker').description('background work on the nodes');
  addNodeOption(
    addClientCommand(
      group,
      'list',
      {
        summary: 'every worker of every node, what it does, and why it is stuck if it is',
        example: 'holdfast worker list\nholdfast worker list --node 3',
      },
      shell.terminal,
    ),
  ).action((flags: WorkerFlags) => list(shell, flags));
  for (const [action, summary] of [
    ['pause', 'hold a worker after the step it is in; it stays so over restarts'],
    ['resume', 'let a paused worker go on'],
    ['run', 'let a worker do its next step now'],
  ] as const)
    addNodeOption(
      addClientCommand(
        group,
        `${action} <worker>`,
        { summary, example: `holdfast worker ${action} scrub\nholdfast worker ${action} scrub --node 3` },
        shell.terminal,
      ),
    ).action((worker: string, flags: WorkerFlags) => control(shell, worker, action, flags));
}

export function addNodeOption(command: Command): Command {
  return command.option('--node <number>', 'only on this node', wholeNumber(1, MAX_MEMBER_NUMBER));
}

async function list(shell: Shell, { node, ...flags }: WorkerFlags): Promise<void> {
  const { signal } = shell;
  await shell.withClient(flags, async ({ workers }) => {
    const answers = (await Promise.all(ROLES.map((role) => workers.list(role, { node, signal })))).flat();
    const rows = answers.flatMap(({ member, answer }) =>
      (answer?.workers ?? []).map((worker) => ({ node: member.number, nodeName: member.name, ...worker })),
    );
    const silent = failuresByNode(answers);
    await shell.output.result({ workers: rows, silent }, () => [
      ...textTable(
        [
          ['NODE', 'WORKER', 'STATE', 'STEPS', 'FAILED', ''],
          ...rows.map((row) => [
            String(row.node),
            row.name,
            row.state,
            String(row.steps),
            String(row.failures),
            row.stuck === '' ? row.progress : `${row.stuckMessage} [${row.stuck}]`,
          ]),
        ],
        [0, 3, 4],
      ),
      ...silent.map(({ node: number, message }) => `Node ${number} does not answer: ${message}`),
    ]);
  });
}

/** Shared with commands that are about one worker. */
export async function control(
  shell: Shell,
  worker: string,
  action: WorkerAction,
  { node, ...flags }: WorkerFlags,
): Promise<void> {
  const { signal } = shell;
  await shell.withClient(flags, async ({ workers }) => {
    const answers = await Promise.all(
      ROLES.map((role) => workers.control(role, worker, action, { node, signal })),
    );
    const relevant = answers.flat().filter(({ failure }) => failure?.code !== NOT_HERE);
    const failed = failuresByNode(relevant);
    const done = relevant.filter(({ failure }) => failure === undefined).map(({ member }) => member.number);
    if (done.length === 0) throw workersFailed(worker, action, failed);
    await shell.output.result({ worker, action, nodes: done, failed }, () => [
      `${worker}: ${action} on node ${done.join(', ')}.`,
      ...failed.map((failure) => `Not on node ${failure.node}: ${failure.message}`),
    ]);
  });
}

type Failure = NonNullable<NodeAnswer<unknown>['failure']> & { readonly node: number };

/** A node is asked for each of its roles; one that does not answer is named once. */
function failuresByNode(answers: readonly NodeAnswer<unknown>[]): readonly Failure[] {
  const failures = new Map<number, Failure>();
  for (const { member, failure } of answers)
    if (failure !== undefined) failures.set(member.number, { node: member.number, ...failure });
  return [...failures.values()];
}
