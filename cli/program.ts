/** @module The whole command line: `holdfast` and its groups. */
import { Command } from 'commander';
import type { Shell } from './shell.ts';
import { VERSION } from './version.ts';

type AddCommands = (program: Command, shell: Shell) => void;

/** One file of commands: it is loaded only where one of them is wanted, or help for all. */
interface Section {
  /** Above it in the help. */
  readonly heading: string;
  readonly names: readonly string[];
  readonly load: () => Promise<AddCommands>;
}

const CLUSTERS = 'Clusters and nodes:';
const FILES = 'Files in and out:';
const TREE = 'The file tree:';
const SPACE = 'Space and copies:';
const CHECKS = 'Checks:';
const DISASTERS = 'Disasters:';
const TRY = 'Try it:';

/** In the order of the help. */
export const SECTIONS: readonly Section[] = [
  section(CLUSTERS, 'cluster', async () => (await import('./cluster.ts')).addClusterCommands),
  section(CLUSTERS, 'node', async () => (await import('./node.ts')).addNodeCommands),
  section(CLUSTERS, 'connect', async () => (await import('./connect.ts')).addConnectCommand),
  section(FILES, 'put append get cat', async () => (await import('./transfer.ts')).addTransferCommands),
  section(
    TREE,
    'ls stat ln chmod chown mkdir rmdir mv cp rm touch',
    async () => (await import('./tree.ts')).addTreeCommands,
  ),
  section(SPACE, 'du df', async () => (await import('./space.ts')).addSpaceCommands),
  section(SPACE, 'locate lshere setrep', async () => (await import('./placement.ts')).addPlacementCommands),
  section(SPACE, 'balance', async () => (await import('./balance.ts')).addBalanceCommand),
  section(CHECKS, 'fsck', async () => (await import('./fsck.ts')).addFsckCommand),
  section(CHECKS, 'explain', async () => (await import('./explain.ts')).addExplainCommand),
  section(CHECKS, 'doctor', async () => (await import('./doctor.ts')).addDoctorCommand),
  section(SPACE, 'gc', async () => (await import('./garbage.ts')).addGarbageCommands),
  section(DISASTERS, 'backup', async () => (await import('./backup.ts')).addBackupCommands),
  section(DISASTERS, 'recover', async () => (await import('./recover.ts')).addRecoverCommands),
  section(SPACE, 'scrub', async () => (await import('./scrub.ts')).addScrubCommands),
  section(CHECKS, 'worker', async () => (await import('./workers.ts')).addWorkerCommands),
  section(TRY, 'demo', async () => (await import('./demo.ts')).addDemoCommand),
  section(TRY, 'simulate', async () => (await import('./simulate.ts')).addSimulateCommand),
  section(TRY, 'chaos', async () => (await import('./chaos.ts')).addChaosCommand),
  section(CHECKS, 'dht', async () => (await import('./location-index.ts')).addIndexCommands),
];

/**
 * The command that `words`, the arguments after the name, begin with, or all commands where they name none: to load and
 * describe the other fifty would take a fifth of a short command's time. Commands throw; nothing here ends the process.
 */
export async function buildProgram(shell: Shell, words: readonly string[] = []): Promise<Command> {
  const program = rootCommand(shell);
  const wanted = SECTIONS.find(({ names }) => names.includes(words[0] ?? ''));
  for (const { heading, load } of wanted === undefined ? SECTIONS : [wanted]) {
    program.commandsGroup(heading);
    (await load())(program, shell);
  }
  return program;
}

function rootCommand(shell: Shell): Command {
  const { stdout, stderr } = shell.terminal;
  return new Command('holdfast')
    .description(
      'A distributed file system: one consistent, self-healing, encrypted file tree over any odd machines.',
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // With --json the error is printed once, as JSON, by whoever runs the program.
      writeErr: (text) => void (shell.output.json || stderr.write(text)),
    })
    .showHelpAfterError('(add --help for usage)')
    .addHelpText('after', '\nStart here:\n  holdfast demo\n  holdfast cluster init --start');
}

/** `names`: what stands below `holdfast`, with spaces between. */
function section(heading: string, names: string, load: () => Promise<AddCommands>): Section {
  return { heading, names: names.split(' '), load };
}
