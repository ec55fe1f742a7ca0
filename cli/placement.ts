/** @module `holdfast locate`, `lshere` and `setrep`: where copies are, and how many there shall be. */
import type { Command } from 'commander';
import { toHex } from '../src/common/bytes.ts';
import type { Client } from '../src/client/client.ts';
import type { Holder } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import {
  addClientCommand,
  addDirectoryOption,
  addReadCommand,
  type ClientFlags,
  type NodeFlags,
  type ReadFlags,
  wholeNumber,
} from './options.ts';
import { needsRecursive } from './errors.ts';
import { printable } from './output.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

interface SetReplicationFlags extends ClientFlags {
  readonly recursive?: boolean;
}

const MAX_COPIES = 16;
/** Enough of a hash to tell blocks apart on a screen. */
const SHOWN_HASH_CHARACTERS = 12;

export function addPlacementCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  addReadCommand(
    program,
    'locate <path>',
    { summary: 'which nodes hold which block of a file', example: 'holdfast locate /photos/cat.jpg' },
    terminal,
  ).action((path: string, flags: ReadFlags) => locate(shell, remotePath(path), flags));
  addDirectoryOption(
    addClientCommand(
      program,
      'lshere',
      {
        summary: 'the blocks that the node of this data directory holds (the node must run)',
        example: 'holdfast lshere\nholdfast lshere --json | wc -l',
      },
      terminal,
    ),
    terminal,
  ).action((flags: NodeFlags & ClientFlags) => lsHere(shell, flags));
  addClientCommand(
    program,
    'setrep',
    {
      summary: 'set how many copies files shall have',
      example: 'holdfast setrep 2 /scratch/big.iso\nholdfast setrep -r 2 /scratch',
    },
    terminal,
  )
    .argument('<copies>', `from 1 to ${MAX_COPIES}`, wholeNumber(1, MAX_COPIES))
    .argument('<paths...>', 'files; directories with -r')
    .option('-r, --recursive', 'all files below a directory')
    .action((copies: number, paths: string[], flags: SetReplicationFlags) =>
      setReplication(shell, copies, paths.map(remotePath), flags),
    );
}

async function locate(shell: Shell, path: string, flags: ReadFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const { stat, blocks, holders } = await client.locate(path, { stale: flags.stale, signal: shell.signal });
    const byNumber = new Map(holders.map((holder) => [holder.node, holder]));
    const described = blocks.map(({ hash, sizeBytes, nodes }, position) => {
      return { position, hash: toHex(hash), sizeBytes, nodes };
    });
    const value = {
      path,
      sizeBytes: stat.sizeBytes,
      replication: stat.replication,
      blocks: described,
      holders,
    };
    await shell.output.result(value, () => [
      `${printable(path)}: ${formatBytes(stat.sizeBytes)} in ${counted(blocks.length, 'block')}, ${counted(stat.replication, 'copy')} wanted`,
      ...described.map(({ position, hash, sizeBytes, nodes }) => {
        const where = nodes.map((node) => describeHolder(node, byNumber.get(node))).join('  ');
        const name = hash.slice(0, SHOWN_HASH_CHARACTERS);
        return `${String(position).padStart(6)}  ${name}  ${formatBytes(sizeBytes).padStart(10)}  ${where || 'nowhere'}`;
      }),
    ]);
  });
}

function describeHolder(node: number, holder: Holder | undefined): string {
  if (holder === undefined) return String(node);
  return `${node}:${holder.name}@${holder.host}${holder.alive ? '' : ' (away)'}`;
}

async function lsHere(shell: Shell, flags: NodeFlags & ClientFlags): Promise<void> {
  const { readConfig } = await import('../src/node/data-directory.ts');
  const { peer } = await readConfig(flags.dir);
  await shell.withClient(flags, async (client) => {
    for await (const block of client.blocksHere(peer, { signal: shell.signal })) {
      const { sizeBytes, fileId, pathHint, position } = block;
      const hash = toHex(block.hash);
      await shell.output.result({ hash, sizeBytes, fileId, pathHint, position }, () =>
        [hash, formatBytes(sizeBytes).padStart(10), `block ${position} of ${printable(pathHint)}`].join('  '),
      );
    }
  });
}

async function setReplication(
  shell: Shell,
  copies: number,
  paths: readonly string[],
  flags: SetReplicationFlags,
): Promise<void> {
  const { signal } = shell;
  await shell.withClient(flags, async (client) => {
    for (const path of paths)
      for await (const file of filesAt(client, path, { isRecursive: flags.recursive ?? false, signal })) {
        await client.setReplication(file, copies, { signal });
        await shell.output.result(
          { path: file, replication: copies },
          () => `${counted(copies, 'copy')}  ${printable(file)}`,
        );
      }
  });
}

async function* filesAt(
  client: Client,
  path: string,
  { isRecursive, signal }: { isRecursive: boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  const { kind } = await client.stat(path, { signal });
  if (kind !== 'directory') return yield path;
  if (!isRecursive) throw needsRecursive('setrep', path);
  for await (const entry of client.walk(path, { signal })) if (entry.stat.kind === 'file') yield entry.path;
}
