/** @module Running a node in the foreground: ready line, signals, and an end within five seconds. */
import { flushCompileCache } from 'node:module';
import { type Command, Option } from 'commander';
import { systemClock } from '../src/common/clock.ts';
import { describeError, HoldfastError } from '../src/common/errors.ts';
import type { Logger, LogLevel } from '../src/common/logger.ts';
import { systemRandom } from '../src/common/random.ts';
import type { RunningNode } from '../src/node/holdfast-node.ts';
import type { NodeChanges } from '../src/node/node-changes.ts';
import { parseBytes } from './byte-size.ts';
import { EXIT } from './exit-codes.ts';
import type { Shell } from './shell.ts';
import { VERSION } from './version.ts';

export interface RunFlags {
  readonly logLevel: LogLevel;
  readonly untilStdinEnds?: boolean;
  readonly metricsListen?: string;
  readonly metadataCache?: number;
  readonly indexMemory?: number;
  readonly indexDisk?: number;
  readonly mdns?: boolean;
  readonly upnp?: boolean;
}

/** A node that has not stopped by then is ended; it recovers as after a power cut. */
const STOP_DEADLINE_MS = 4_500;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

export function addRunOptions(command: Command): Command {
  return command
    .addOption(new Option('--log-level <level>', 'what to log').choices(LEVELS).default('info'))
    .option('--metrics-listen <host:port>', 'serve Prometheus metrics at http://host:port/metrics')
    .option(
      '--metadata-cache <size>',
      'memory for the namespace of a metadata node (256 MiB), from now on',
      parseBytes,
    )
    .option(
      '--index-memory <size>',
      'memory for the location index of a metadata node, at most (2.4 GiB, or a quarter of the machine if that is more), from now on',
      parseBytes,
    )
    .option(
      '--index-disk <size>',
      'disk for what of it does not fit there, at most (four times its memory, 64 MiB at least; 0: none), from now on',
      parseBytes,
    )
    .option('--mdns', 'look for nodes of the cluster in the local network by multicast, from now on')
    .option('--no-mdns', 'do not, from now on')
    .option(
      '--upnp',
      'ask the router to open a port when nobody can dial this node (as it does), from now on',
    )
    .option('--no-upnp', 'never ask the router, from now on')
    .addOption(
      new Option('--until-stdin-ends', 'stop when standard input ends: for whoever starts nodes as children'),
    );
}

/**
 * Resolves after a clean stop (ctrl-C, SIGTERM). Prints one line when the node is up; with --json
 * {"event":"ready","number","peer","addresses","roles","pid","directory"}. A fatal error of the node rejects.
 */
export async function runNode(
  shell: Shell,
  directory: string,
  flags: RunFlags,
  changes: NodeChanges = {},
): Promise<void> {
  const [{ createLogger }, { startNode }] = await Promise.all([
    import('../src/common/logger.ts'),
    import('../src/node/holdfast-node.ts'),
  ]);
  const logger = createLogger({ level: flags.logLevel });
  const fatal = Promise.withResolvers<never>();
  // It may come while the node is still being announced; the race below sees it all the same.
  fatal.promise.catch(() => {});
  const { metadataCache, indexMemory, indexDisk, mdns, upnp } = flags;
  const ofRun: NodeChanges = {
    ...(metadataCache !== undefined && { metadataCacheBytes: metadataCache }),
    ...(indexMemory !== undefined && { indexMemoryBytes: indexMemory }),
    ...(indexDisk !== undefined && { indexDiskBytes: indexDisk }),
    ...(mdns !== undefined && { mdns }),
    ...(upnp !== undefined && { upnp }),
  };
  const node = await startNode({ clock: systemClock, random: systemRandom, logger }, directory, {
    changes: { ...changes, ...ofRun },
    version: VERSION,
    metricsListen: flags.metricsListen,
    onFatal: fatal.reject,
  });
  dieOfBugs(logger);
  await announce(shell, node);
  try {
    await Promise.race([
      aborted(shell.signal),
      flags.untilStdinEnds ? inputEnded(shell) : never(),
      fatal.promise,
    ]);
  } finally {
    await stopInTime(node, logger);
  }
}

async function announce(shell: Shell, node: RunningNode): Promise<void> {
  const { config, addresses, roles, directory } = node;
  const { number, peer, clusterId, clusterName } = config;
  const facts = { number, peer, clusterId, roles, addresses, directory, pid: process.pid };
  // A node may end by kill -9, which would keep nothing.
  flushCompileCache();
  await shell.output.result({ event: 'ready', ...facts }, () => [
    `Node ${number} (${config.name}) of cluster ${clusterName} is up as ${roles.join(', ')}.`,
    ...addresses.map((address) => `  ${address}`),
    'Ctrl-C stops it.',
  ]);
}

async function stopInTime(node: RunningNode, logger: Logger): Promise<void> {
  const timer = setTimeout(() => {
    logger.error('node.stop-timeout', { afterMs: STOP_DEADLINE_MS });
    process.exit(EXIT.failed);
  }, STOP_DEADLINE_MS);
  try {
    await node.stop();
  } finally {
    clearTimeout(timer);
  }
}

/** An error that nobody caught has left some part of the node in an unknown state: it must not go on (style 21). */
function dieOfBugs(logger: Logger): void {
  const die = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    const code = error instanceof HoldfastError ? error.code : undefined;
    logger.error('node.uncaught', { error: describeError(error), code, stack });
    process.exit(EXIT.broken);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function inputEnded({ terminal }: Shell): Promise<void> {
  return new Promise((resolve) => {
    terminal.stdin.once('end', resolve).once('close', resolve).resume();
  });
}

function never(): Promise<never> {
  return new Promise(() => {});
}
