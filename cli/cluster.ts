/** @module `holdfast cluster`: found, join, tokens, status, members, leave. */
import type { Command } from 'commander';
import { addInitCommand, addJoinCommand } from './cluster-entry.ts';
import { addLeaveCommand } from './cluster-leave.ts';
import { addMembersCommand } from './cluster-members.ts';
import { addRecoverCommand } from './cluster-recover.ts';
import { addRemoveCommand } from './cluster-remove.ts';
import { addSetCommand } from './cluster-set.ts';
import { addStatusCommand } from './cluster-status.ts';
import { addTokenCommands } from './cluster-token.ts';
import { addTransferCommand } from './cluster-transfer.ts';
import type { Shell } from './shell.ts';

export function addClusterCommands(program: Command, shell: Shell): void {
  const group = program.command('cluster').description('found, join and look after a cluster');
  addInitCommand(group, shell);
  addJoinCommand(group, shell);
  addTokenCommands(group, shell);
  addStatusCommand(group, shell);
  addMembersCommand(group, shell);
  addTransferCommand(group, shell);
  addSetCommand(group, shell);
  addRemoveCommand(group, shell);
  addLeaveCommand(group, shell);
  addRecoverCommand(group, shell);
}
