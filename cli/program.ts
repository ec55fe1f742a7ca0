/** @module The whole command line: `holdfast` and its groups. */
import { Command } from 'commander';
import { addChaosCommand } from './chaos.ts';
import { addBackupCommands } from './backup.ts';
import { addBalanceCommand } from './balance.ts';
import { addClusterCommands } from './cluster.ts';
import { addConnectCommand } from './connect.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addExplainCommand } from './explain.ts';
import { addFsckCommand } from './fsck.ts';
import { addGarbageCommands } from './garbage.ts';
import { addIndexCommands } from './location-index.ts';
import { addNodeCommands } from './node.ts';
import { addPlacementCommands } from './placement.ts';
import { addRecoverCommands } from './recover.ts';
import { addScrubCommands } from './scrub.ts';
import type { Shell } from './shell.ts';
import { addSimulateCommand } from './simulate.ts';
import { addSpaceCommands } from './space.ts';
import { addTransferCommands } from './transfer.ts';
import { addTreeCommands } from './tree.ts';
import { addWorkerCommands } from './workers.ts';
import { VERSION } from './version.ts';

/** Commands throw; nothing here ends the process. */
export function buildProgram(shell: Shell): Command {
  const { stdout, stderr } = shell.terminal;
  const program = new Command('holdfast')
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
  program.commandsGroup('Clusters:');
  addClusterCommands(program, shell);
  addNodeCommands(program, shell);
  addConnectCommand(program, shell);
  program.commandsGroup('Files in and out:');
  addTransferCommands(program, shell);
  program.commandsGroup('The file tree:');
  addTreeCommands(program, shell);
  program.commandsGroup('Space and copies:');
  addSpaceCommands(program, shell);
  addPlacementCommands(program, shell);
  addBalanceCommand(program, shell);
  addFsckCommand(program, shell);
  addExplainCommand(program, shell);
  addDoctorCommand(program, shell);
  addGarbageCommands(program, shell);
  addBackupCommands(program, shell);
  addRecoverCommands(program, shell);
  addScrubCommands(program, shell);
  addWorkerCommands(program, shell);
  program.commandsGroup('Clusters:');
  addDemoCommand(program, shell);
  addSimulateCommand(program, shell);
  addChaosCommand(program, shell);
  addIndexCommands(program, shell);
  return program;
}
