/** @module `holdfast recover`: the files of a cluster that has lost every metadata node, found again on its datanodes. */
import { tmpdir } from 'node:os';
import type { Command } from 'commander';
import type { NamespaceRecovery, RecoveryProgress } from '../src/client/recovery/namespace-recovery.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { partlyFailed, usage } from './errors.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { createProgress, type Progress } from './progress-bar.ts';
import { planFacts, planLines, plannedFacts, plannedLine } from './recovery-report.ts';
import type { Shell } from './shell.ts';

interface NamespaceFlags extends ClientFlags {
  readonly fromDatanodes?: boolean;
  readonly backups: boolean;
  readonly yes?: boolean;
  readonly evenIncomplete?: boolean;
  readonly all?: boolean;
  readonly workDir: string;
}

interface FinishFlags extends ClientFlags {
  readonly yes?: boolean;
}

export function addRecoverCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  const group = program
    .command('recover')
    .description(
      'when every metadata node is gone: after "cluster init --recover", and "node rejoin" of the datanodes, find the files again',
    );
  addClientCommand(
    group,
    'namespace',
    {
      summary:
        'show which files come back, and which do not and why; with --yes restore them. May be repeated: when another datanode has come over, and after any interruption',
      example:
        'holdfast recover namespace --from-datanodes\nholdfast recover namespace --from-datanodes --yes && holdfast fsck',
    },
    terminal,
  )
    .option('--from-datanodes', 'from what the blocks on datanodes say of themselves, and backups among them')
    .option('--no-backups', 'by blocks alone, as if there were no backup')
    .option('--yes', 'restore; without it nothing is changed')
    .option(
      '--even-incomplete',
      'restore although a datanode does not answer, or the newest backup cannot be read',
    )
    .option('--all', 'name every entry that comes back, too')
    .option('--work-dir <directory>', 'for a temporary file, some 300 bytes a block', tmpdir())
    .addHelpText('after', LIMITS)
    .action((flags: NamespaceFlags) => namespace(shell, flags));
  addClientCommand(
    group,
    'finish',
    {
      summary:
        'end the recovery: from then on blocks that no file refers to are garbage. Without --yes shows how many that are',
      example: 'holdfast recover finish\nholdfast recover finish --yes',
    },
    terminal,
  )
    .option('--yes', 'end it')
    .action((flags: FinishFlags) => finish(shell, flags));
  addClientCommand(
    group,
    'open',
    {
      summary: 'open a recovery again: nothing is collected until it is finished',
      example: 'holdfast recover open',
    },
    terminal,
  ).action((flags: ClientFlags) => open(shell, flags));
}

const LIMITS = `
What blocks do not know: renames (a file comes back under the path it was written to), copies made by "cp", removals (a
removed file whose blocks are not deleted yet may come back), empty files and directories, links, owners. A backup knows
all of that as of its time. A file comes back only if every block of it was found; nothing is guessed.`;

async function namespace(shell: Shell, flags: NamespaceFlags): Promise<void> {
  if (!flags.fromDatanodes)
    throw usage(
      'Say --from-datanodes: there is no other source. ("cluster recover" goes on from a survivor.)',
    );
  await shell.withClient(flags, async (client) => {
    const steps = new StepProgress(shell);
    try {
      await using recovery = await client.prepareRecovery({
        directory: flags.workDir,
        ignoreBackups: !flags.backups,
        signal: shell.signal,
        onProgress: (progress) => steps.note(progress),
      });
      steps.end();
      await show(shell, recovery, flags);
      if (flags.yes) await carryOut(shell, recovery, steps, flags);
    } finally {
      steps.end();
    }
  });
}

async function show(shell: Shell, recovery: NamespaceRecovery, flags: NamespaceFlags): Promise<void> {
  for await (const planned of recovery.plan.entries(flags.all ? 'all' : 'lost'))
    await shell.output.result(plannedFacts(planned), () => plannedLine(planned));
  const facts = await planFacts(recovery);
  await shell.output.result({ ...facts, dryRun: !flags.yes }, () => [
    ...planLines(facts),
    ...(flags.yes ? [] : ['', 'Nothing was changed. With --yes this is restored.']),
  ]);
  for (const { node, name, failure } of facts.silent)
    shell.output.warn(`node ${node} (${name}) was not looked at: ${failure}. What only it has seems lost.`);
}

async function carryOut(
  shell: Shell,
  recovery: NamespaceRecovery,
  steps: StepProgress,
  { evenIncomplete }: NamespaceFlags,
): Promise<void> {
  const { files, directories, links } = await recovery.counts();
  steps.expect(files + directories + links);
  const { restored, there, kept, failed } = await recovery.carryOut({ evenIncomplete });
  steps.end();
  for (const { path, code, message } of failed) shell.output.warn(`${path}: ${message} [${code}]`);
  await shell.output.result({ restored, there, kept, failed }, () => [
    '',
    `${counted(restored, 'entry')} restored; ${there} were there already; ${kept} paths have something newer, which stays.`,
    'Look at it ("holdfast fsck"); then end the recovery: "holdfast recover finish".',
  ]);
  if (failed.length > 0) throw partlyFailed(failed.length, restored + there + kept + failed.length);
}

async function finish(shell: Shell, flags: FinishFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const { signal } = shell;
    const reports = await collection.reports({ preview: true, signal });
    const sum = (pick: 'Blocks' | 'Bytes'): number =>
      reports.reduce(
        (total, { answer }) =>
          total + (answer === undefined ? 0 : answer[`collectable${pick}`] + answer[`young${pick}`]),
        0,
      );
    const facts = { unreferencedBlocks: sum('Blocks'), unreferencedBytes: sum('Bytes') };
    if (flags.yes) await collection.setRecovering(false, { signal });
    await shell.output.result({ ...facts, finished: flags.yes ?? false }, () => [
      `No file refers to ${counted(facts.unreferencedBlocks, 'copy')} of blocks (${formatBytes(facts.unreferencedBytes)}).`,
      flags.yes
        ? 'The recovery is finished. What no file refers to is put aside in an hour or two, and deleted a day later ("holdfast gc undo" brings it back until then).'
        : 'Nothing was changed. With --yes the recovery is finished, and they are collected as garbage.',
    ]);
  });
}

async function open(shell: Shell, flags: ClientFlags): Promise<void> {
  await shell.withClient(flags, async ({ collection }) => {
    const settings = await collection.setRecovering(true, { signal: shell.signal });
    await shell.output.result(settings, () => [
      'A recovery is open: nothing is collected until "holdfast recover finish".',
    ]);
  });
}

const STEP_TEXTS = {
  survey: 'blocks looked at',
  plan: 'paths decided',
  restore: 'entries restored',
} as const;

/** One step after the other, each counted by itself. */
class StepProgress {
  readonly #shell: Shell;
  #phase: RecoveryProgress['phase'] | undefined;
  #progress: Progress | undefined;
  #count = 0;
  #total = 0;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  note({ phase, count }: RecoveryProgress): void {
    if (phase !== this.#phase) {
      this.end();
      this.#phase = phase;
      this.#count = 0;
      const text = (): string =>
        `${this.#count}${this.#total > 0 ? ` of ${this.#total}` : ''} ${STEP_TEXTS[phase]}`;
      this.#progress = createProgress(this.#shell.output, this.#shell.terminal, { label: phase, text });
      this.#progress.expect(this.#total);
    }
    this.#count += count;
    this.#progress?.update(phase, this.#count);
  }

  /** Of the next step. */
  expect(total: number): void {
    this.#total = total;
  }

  end(): void {
    this.#progress?.stop();
    this.#progress = undefined;
    this.#phase = undefined;
  }
}
