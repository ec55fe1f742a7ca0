/** @module `holdfast cluster`: found, join, tokens, status, leave. */
import type { Command } from 'commander';
import { addInitCommand, addJoinCommand } from './cluster-entry.ts';
import { addLeaveCommand } from './cluster-leave.ts';
import { addStatusCommand } from './cluster-status.ts';
import { addTokenCommands } from './cluster-token.ts';
import type { Shell } from './shell.ts';

export function addClusterCommands(program: Command, shell: Shell): void {
  const group = program.command('cluster').description('found, join and look after a cluster');
  addInitCommand(group, shell);
  addJoinCommand(group, shell);
  addTokenCommands(group, shell);
  addStatusCommand(group, shell);
  addLeaveCommand(group, shell);
}
