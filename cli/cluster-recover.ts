/** @module `holdfast cluster recover`: the way back when a majority of the metadata nodes is gone for good. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { systemClock } from '../src/common/clock.ts';
import { systemRandom } from '../src/common/random.ts';
import type { RecoveryPlan } from '../src/node/recover-cluster.ts';
import { counted } from './counted.ts';
import { formatTime } from './duration.ts';
import { usage } from './errors.ts';
import { addCommand, addDirectoryOption, collect, type NodeFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

interface RecoverFlags extends NodeFlags {
  readonly also?: readonly string[];
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const CONSENT = 'recover';

export function addRecoverCommand(group: Command, shell: Shell): void {
  const command = addCommand(group, 'recover', {
    summary:
      'make the stopped metadata node of this directory the first of a new epoch, when most others are gone for good; what only they had is lost',
    example: 'holdfast cluster recover --dry-run\nholdfast cluster recover --also /mnt/rescued/node --yes',
  });
  addDirectoryOption(command, shell.terminal)
    .option('--also <directory>', 'data directory of another survivor, to compare its log', collect)
    .option('--dry-run', 'only show the survivors and what would be lost')
    .option('--yes', 'do not ask')
    .option('--force', 'also when another survivor has more of the log, or a majority answers')
    .action((flags: RecoverFlags) => recover(shell, flags));
}

async function recover(shell: Shell, flags: RecoverFlags): Promise<void> {
  const [{ Recovery }, { createLogger }] = await Promise.all([
    import('../src/node/recover-cluster.ts'),
    import('../src/common/logger.ts'),
  ]);
  const { also = [], force = false, dryRun = false } = flags;
  const components = { clock: systemClock, random: systemRandom, logger: createLogger({ level: 'warn' }) };
  await using recovery = await Recovery.prepare(components, flags.dir, { also, force });
  const { plan } = recovery;
  if (dryRun) return shell.output.result(planFacts(plan, false), () => planScreen(plan));
  for (const line of planScreen(plan)) await shell.output.note(line);
  if (!flags.yes && !plan.isUnderWay) await askConsent(shell);
  shell.signal.throwIfAborted();
  await recovery.carryOut(systemClock.wallMs());
  await shell.output.result(planFacts(plan, true), () => [
    '',
    `Node ${plan.config.number} is the only metadata node of epoch ${plan.epoch}. Start it:`,
    `  holdfast node start --dir ${flags.dir}`,
    'Then make tokens ("holdfast cluster token create --role meta --uses 2") and join metadata nodes until there are three.',
  ]);
}

async function askConsent({ terminal, signal }: Shell): Promise<void> {
  if (!terminal.isInteractive)
    throw usage('Nobody is here to ask. Add --yes once you have read what would be lost.');
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  // A question is never answered when the input ends, by ctrl-D say.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const asked = lines.question(`This cannot be undone. Type "${CONSENT}" to go on: `, { signal });
    const answer = await Promise.race([asked, ended]);
    if (answer.trim() !== CONSENT) throw usage('Nothing was changed.');
  } finally {
    lines.close();
  }
}

function planFacts(plan: RecoveryPlan, recovered: boolean): object {
  const { config, own, epoch, survivors, metadataNodes } = plan;
  const { voters, learners } = own.configuration;
  return {
    cluster: config.clusterId,
    node: config.number,
    epoch: { from: own.epoch, to: epoch },
    recovered,
    survivors,
    voters,
    learners,
    lost: metadataNodes
      .filter(({ number }) => number !== config.number)
      .map(({ number, name }) => ({ number, name })),
    lastTimeMs: own.lastTimeMs,
    uncommitted: own.lastIndex - own.commit,
  };
}

function planScreen(plan: RecoveryPlan): readonly string[] {
  const { config, own, epoch, survivors, metadataNodes } = plan;
  if (plan.isUnderWay)
    return [`A recovery to epoch ${epoch} was cut short; the log is written, and the rest follows.`];
  const name = (number: number): string =>
    `${number} (${metadataNodes.find((member) => member.number === number)?.name ?? '?'})`;
  const others = metadataNodes.filter(({ number }) => number !== config.number);
  const kept = own.lastIndex - own.commit;
  return [
    `Cluster ${config.clusterName} (${config.clusterId}), epoch ${own.epoch}. Voting metadata nodes: ${own.configuration.voters.map(name).join(', ')}.`,
    '',
    ...textTable(
      [
        ['NODE', 'LAST TERM', 'LAST ENTRY', 'COMMITTED', 'SEEN IN'],
        ...survivors.map(({ node, lastTerm, lastIndex, commit, directory }) => [
          name(node),
          String(lastTerm),
          String(lastIndex),
          String(commit),
          directory ?? 'its answer',
        ]),
      ],
      [1, 2, 3],
    ),
    '',
    `Kept: everything in the log of node ${name(config.number)}, up to entry ${own.lastIndex} (${own.lastTimeMs === 0 ? 'of unknown time' : `${formatTime(own.lastTimeMs)} UTC`}).`,
    ...(kept === 0
      ? []
      : [
          `  The last ${counted(kept, 'entry')} of its log may never have been acknowledged; what they changed is kept too.`,
        ]),
    'Lost: every change acknowledged after that entry by metadata nodes that are gone. How many there were, nobody can tell.',
    'Blocks on datanodes are not touched.',
    `Then: node ${name(config.number)} is the only metadata node, in epoch ${epoch}. ${others.map(({ number }) => name(number)).join(', ')} can never take part as metadata nodes again, under these numbers.`,
  ];
}
