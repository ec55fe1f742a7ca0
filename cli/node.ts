/** @module `holdfast node`: the process that runs on a data directory. */
import type { Command } from 'commander';
import { parseBytes } from './byte-size.ts';
import { addCommand, addDirectoryOption, collect, type NodeFlags } from './options.ts';
import { addRunOptions, type RunFlags, runNode } from './run-node.ts';
import type { Shell } from './shell.ts';

interface StartFlags extends NodeFlags, RunFlags {
  readonly role?: readonly string[];
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly host?: string;
  readonly capacity?: number;
}

export function addNodeCommands(program: Command, shell: Shell): void {
  const group = program.command('node').description('run a node on this machine');
  const start = addCommand(group, 'start', {
    summary: 'run the node of a data directory in the foreground; logs go to stderr, SIGTERM ends it cleanly',
    example: 'holdfast node start\nholdfast node start --role meta --log-level debug',
  });
  addDirectoryOption(start, shell.terminal)
    .option('--role <roles>', 'run only these of the roles it joined with: meta,data', collect)
    .option('--listen <multiaddr>', 'listen here instead, from now on', collect)
    .option('--announce <multiaddr>', 'tell others to dial this instead, from now on', collect)
    .option('--host <name>', 'the machine, for spreading copies, from now on')
    .option('--capacity <size>', 'hold at most this many bytes of blocks, from now on', parseBytes);
  addRunOptions(start).action(({ dir, role, capacity, listen, announce, host, ...flags }: StartFlags) =>
    runNode(shell, dir, flags, {
      ...(role === undefined ? {} : { roles: role }),
      ...(listen === undefined ? {} : { listen }),
      ...(announce === undefined ? {} : { announce }),
      ...(host === undefined ? {} : { host }),
      ...(capacity === undefined ? {} : { capacityBytes: capacity }),
    }),
  );
}
