/** @module `holdfast node rejoin`: a datanode of a lost cluster comes over to the one that takes its place. */
import type { Command } from 'commander';
import { admissionOptions } from './admission-notice.ts';
import { entryComponents, parseRoles, profileLines } from './cluster-entry.ts';
import {
  addCommand,
  addDirectoryOption,
  addProfileOption,
  type ClientFlags,
  collect,
  type NodeFlags,
} from './options.ts';
import { addRunOptions, type RunFlags, runNode } from './run-node.ts';
import type { Shell } from './shell.ts';
import { tokenFrom } from './token-argument.ts';

interface RejoinFlags extends NodeFlags, ClientFlags, RunFlags {
  readonly role?: readonly string[];
  readonly force?: boolean;
  readonly start?: boolean;
}

export function addRejoinCommand(group: Command, shell: Shell): void {
  const command = addCommand(group, 'rejoin <token>', {
    summary:
      'make the stopped node of a cluster that is lost one of the cluster that the token names; it keeps its key and its blocks',
    example:
      'holdfast node rejoin hf1_… && holdfast node start\nholdfast node rejoin hf1_… --role data --start',
  });
  addProfileOption(addDirectoryOption(command, shell.terminal), shell.terminal)
    .option('--role <roles>', 'what the node does from now on (default: what it did)', collect)
    .option('--force', 'also when the former cluster still answers, or its log is in this directory')
    .option('--start', 'go on to run the node in the foreground');
  addRunOptions(command).action((token: string, flags: RejoinFlags) => rejoin(shell, token, flags));
}

async function rejoin(shell: Shell, token: string, flags: RejoinFlags): Promise<void> {
  const { changeCluster } = await import('../src/node/change-cluster.ts');
  const changed = await changeCluster(
    await entryComponents(flags),
    flags.dir,
    await tokenFrom(shell, token),
    {
      profileDir: flags.profile,
      ...(flags.role && { roles: parseRoles(flags.role) }),
      force: flags.force ?? false,
      ...admissionOptions(shell),
    },
  );
  const { config, formerCluster, kept, profile } = changed;
  const { clusterId, clusterName, number, roles } = config;
  const facts = { clusterId, clusterName, number, roles, formerCluster, kept, directory: flags.dir, profile };
  await shell.output.result(facts, () => [
    `The node in ${flags.dir} has left the lost cluster ${formerCluster} and is node ${number} (${roles.join(', ')}) of ${clusterName}. Its blocks stay; what it knew of the lost cluster is in ${kept}.`,
    ...profileLines(profile, flags),
    ...(flags.start ? [] : ['Start it:', `  holdfast node start --dir ${flags.dir}`]),
  ]);
  if (flags.start) await runNode(shell, flags.dir, flags);
}
