/** @module `holdfast node`: the process that runs on a data directory. */
import type { Command } from 'commander';
import { parseBytes } from './byte-size.ts';
import { addDrainCommands } from './node-drain.ts';
import { addRejoinCommand } from './node-rejoin.ts';
import { addCommand, addDirectoryOption, collect, type NodeFlags } from './options.ts';
import { addRunOptions, type RunFlags, runNode } from './run-node.ts';
import type { Shell } from './shell.ts';

interface StartFlags extends NodeFlags, RunFlags {
  readonly role?: readonly string[];
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly host?: string;
  readonly hostGroup?: string;
  readonly zone?: string;
  readonly capacity?: number;
  readonly blocksLost?: boolean;
  readonly snapshotRate?: number;
}

export function addNodeCommands(program: Command, shell: Shell): void {
  const group = program.command('node').description('run a node on this machine; empty one and take it out');
  addDrainCommands(group, shell);
  addRejoinCommand(group, shell);
  const start = addCommand(group, 'start', {
    summary: 'run the node of a data directory in the foreground; logs go to stderr, SIGTERM ends it cleanly',
    example: 'holdfast node start\nholdfast node start --role meta --log-level debug',
  });
  addDirectoryOption(start, shell.terminal)
    .option('--role <roles>', 'run only these of the roles it joined with: meta,data', collect)
    .option('--listen <multiaddr>', 'listen here instead, from now on; may be repeated', collect)
    .option(
      '--announce <multiaddr>',
      'tell others to dial this instead, from now on; may be repeated',
      collect,
    )
    .option('--host <name>', 'the machine, for spreading copies, from now on')
    .option('--host-group <name>', 'machines that fail together, e.g. a rack, from now on')
    .option('--zone <name>', 'where it stands, e.g. a room or a town, from now on')
    .option('--capacity <size>', 'hold at most this many bytes of blocks, from now on', parseBytes)
    .option('--blocks-lost', 'start with none where the blocks it has held are gone, e.g. with their disk')
    .option(
      '--snapshot-rate <size>',
      'bytes a second at most when it brings another metadata node up to date (64 MiB), from now on',
      parseBytes,
    );
  addRunOptions(start).action((flags: StartFlags) =>
    runNode(shell, flags.dir, flags, {
      ...(flags.role && { roles: flags.role }),
      ...(flags.listen && { listen: flags.listen }),
      ...(flags.announce && { announce: flags.announce }),
      ...(flags.host !== undefined && { host: flags.host }),
      ...(flags.hostGroup !== undefined && { hostGroup: flags.hostGroup }),
      ...(flags.zone !== undefined && { zone: flags.zone }),
      ...(flags.capacity !== undefined && { capacityBytes: flags.capacity }),
      ...(flags.blocksLost && { blocksLost: true }),
      ...(flags.snapshotRate !== undefined && { snapshotBytesPerSecond: flags.snapshotRate }),
    }),
  );
}
