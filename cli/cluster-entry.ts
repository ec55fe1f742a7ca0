/** @module `holdfast cluster init` and `cluster join`: how a machine becomes a node. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { systemClock } from '../src/common/clock.ts';
import { systemRandom } from '../src/common/random.ts';
import type { NewNode } from '../src/node/init-cluster.ts';
import { isNodeRole, NODE_ROLES, type NodeConfig } from '../src/node/node-config.ts';
import type { ProfileOutcome } from '../src/node/node-profile.ts';
import { admissionOptions } from './admission-notice.ts';
import { DEFAULT_BLOCK_SIZE_BYTES } from '../src/namespace/limits.ts';
import { parseBytes } from './byte-size.ts';
import { formatTime } from './duration.ts';
import { usage } from './errors.ts';
import {
  blockSize,
  addCommand,
  addDirectoryOption,
  addProfileOption,
  type ClientFlags,
  collect,
  type NodeFlags,
  wholeNumber,
} from './options.ts';
import { addRunOptions, type RunFlags, runNode } from './run-node.ts';
import type { Shell } from './shell.ts';
import { tokenFrom } from './token-argument.ts';

interface EntryFlags extends NodeFlags, ClientFlags, RunFlags {
  readonly role?: readonly string[];
  readonly name?: string;
  readonly host?: string;
  readonly hostGroup?: string;
  readonly zone?: string;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly capacity?: number;
  readonly start?: boolean;
}

interface InitFlags extends EntryFlags {
  readonly clusterName: string;
  readonly replication: number;
  readonly blockSize: number;
  readonly recover?: boolean;
}

const MAX_REPLICATION = 16;
const PORT = 4600;

export function addInitCommand(group: Command, shell: Shell): void {
  const command = addCommand(group, 'init', {
    summary: 'found a new cluster with this machine as its first node, and print a join token',
    example: 'holdfast cluster init --start\nholdfast cluster init --cluster-name photos --replication 2',
  })
    .option('--cluster-name <name>', 'what people call the cluster', 'holdfast')
    .option('--replication <copies>', 'copies of each block by default', wholeNumber(1, MAX_REPLICATION), 3)
    .option('--block-size <size>', 'size of blocks by default', blockSize, DEFAULT_BLOCK_SIZE_BYTES)
    .option(
      '--recover',
      'in the place of a cluster whose metadata nodes are all gone: its datanodes come over with "node rejoin", and nothing is deleted before "recover finish"',
    );
  addEntryOptions(command, shell).action((flags: InitFlags) => init(shell, flags));
}

export function addJoinCommand(group: Command, shell: Shell): void {
  const command = addCommand(group, 'join <token>', {
    summary: 'make this machine a node of the cluster that the token names',
    example:
      'holdfast cluster join hf1_… --start\nholdfast cluster join - --role data --capacity 500G < token',
  });
  addEntryOptions(command, shell).action((token: string, flags: EntryFlags) => join(shell, token, flags));
}

function addEntryOptions(command: Command, shell: Shell): Command {
  addProfileOption(addDirectoryOption(command, shell.terminal), shell.terminal)
    .option('--role <roles>', `what the node does: ${NODE_ROLES.join(',')}`, collect)
    .option('--name <name>', 'what people call the node (default: the hostname)')
    .option('--host <name>', 'the machine, for spreading copies (default: hostname and machine id)')
    .option('--host-group <name>', 'machines that fail together, e.g. a rack: copies go to different ones')
    .option('--zone <name>', 'where it stands, e.g. a room or a town: copies go to different ones')
    .option(
      '--listen <multiaddr>',
      `where to listen (default: /ip4/0.0.0.0/tcp/${PORT}, and /ip6/::/tcp/${PORT} where there is IPv6); may be repeated`,
      collect,
    )
    .option('--announce <multiaddr>', 'what others shall dial instead; may be repeated', collect)
    .option('--capacity <size>', 'hold at most this many bytes of blocks', parseBytes)
    .option('--start', 'go on to run the node in the foreground');
  return addRunOptions(command);
}

async function init(shell: Shell, flags: InitFlags): Promise<void> {
  const { initCluster } = await import('../src/node/init-cluster.ts');
  const founded = await initCluster(
    await entryComponents(flags),
    {
      name: flags.clusterName,
      replication: flags.replication,
      blockSizeBytes: flags.blockSize,
      recovers: flags.recover ?? false,
    },
    await newNode(flags),
  );
  const { config, token, tokenExpiresMs } = founded;
  const next = flags.recover ? `holdfast node rejoin ${token}` : `holdfast cluster join ${token} --start`;
  await shell.output.result(
    { ...entryFacts(config, flags, founded.profile), token, tokenExpiresMs, next },
    () => [
      `Cluster ${config.clusterName} is founded; this is node ${config.number} in ${flags.dir}.`,
      ...profileLines(founded.profile, flags),
      '',
      flags.recover
        ? 'On every machine with a datanode of the lost cluster, while its node is stopped; then "holdfast node start" there:'
        : `On the next machine (the token is good for any number of machines until ${formatTime(tokenExpiresMs)} UTC):`,
      `  ${next}`,
      ...(flags.recover ? ['When they run:', '  holdfast recover namespace --from-datanodes'] : []),
      '',
      ...startLines(flags),
    ],
  );
  if (flags.start) await runNode(shell, flags.dir, flags);
}

async function join(shell: Shell, token: string, flags: EntryFlags): Promise<void> {
  const { joinCluster } = await import('../src/node/join-cluster.ts');
  const { config, profile } = await joinCluster(
    await entryComponents(flags),
    await tokenFrom(shell, token),
    await newNode(flags),
    admissionOptions(shell),
  );
  await shell.output.result(entryFacts(config, flags, profile), () => [
    `Joined cluster ${config.clusterName} as node ${config.number} (${config.roles.join(', ')}) in ${flags.dir}.`,
    ...profileLines(profile, flags),
    ...startLines(flags),
  ]);
  if (flags.start) await runNode(shell, flags.dir, flags);
}

export async function entryComponents(
  flags: Pick<RunFlags, 'logLevel'>,
): Promise<Parameters<typeof import('../src/node/init-cluster.ts').initCluster>[0]> {
  const { createLogger } = await import('../src/common/logger.ts');
  return {
    clock: systemClock,
    random: systemRandom,
    logger: createLogger({ level: flags.logLevel === 'debug' ? 'debug' : 'warn' }),
  };
}

async function newNode(flags: EntryFlags): Promise<NewNode> {
  const [{ hostIdentity }, { DEFAULT_LISTEN }] = await Promise.all([
    import('../src/node/host-identity.ts'),
    import('../src/node/listen-address.ts'),
  ]);
  return {
    directory: flags.dir,
    profileDir: flags.profile,
    name: flags.name ?? hostname(),
    host: flags.host ?? hostIdentity(),
    ...(flags.hostGroup !== undefined && { hostGroup: flags.hostGroup }),
    ...(flags.zone !== undefined && { zone: flags.zone }),
    roles: parseRoles(flags.role),
    listen: flags.listen ?? DEFAULT_LISTEN,
    announce: flags.announce ?? [],
    ...(flags.capacity === undefined ? {} : { capacityBytes: flags.capacity }),
  };
}

export function parseRoles(words: readonly string[] = NODE_ROLES): NewNode['roles'] {
  const unknown = words.find((word) => !isNodeRole(word));
  if (unknown !== undefined || words.length === 0)
    throw usage(`"${unknown ?? ''}" is not a role of a node. Roles are ${NODE_ROLES.join(', ')}.`);
  return NODE_ROLES.filter((role) => words.includes(role));
}

function entryFacts(config: NodeConfig, flags: EntryFlags, profile: ProfileOutcome): object {
  const { clusterId, clusterName, number, peer, roles, listen } = config;
  const place = { directory: flags.dir, profileDir: flags.profile, profile };
  return { clusterId, clusterName, number, peer, roles, listen, ...place };
}

export function profileLines(outcome: ProfileOutcome, { profile }: ClientFlags): string[] {
  if (outcome === 'other')
    return [
      `${profile} is a profile of another cluster and was left alone; use --profile to have one for this.`,
    ];
  return [`Your client profile is in ${profile}: try "holdfast ls /".`];
}

function startLines({ start, dir }: EntryFlags): string[] {
  return start ? [] : ['Start the node:', `  holdfast node start --dir ${dir}`];
}
