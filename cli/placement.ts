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
import { eachPath } from './each-path.ts';
import { usage } from './errors.ts';
import { orGone } from './gone.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

interface SetReplicationFlags extends ClientFlags {
  readonly recursive?: boolean;
}

const MAX_COPIES = 16;
/** A directory that says nothing of its own. */
const INHERIT = 0;
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
      summary:
        'set how many copies a file shall have; on a directory, how many new files below it get unless they say otherwise',
      example:
        'holdfast setrep 2 /scratch/big.iso\nholdfast setrep 2 /scratch\nholdfast setrep -r inherit /scratch',
    },
    terminal,
  )
    .argument('<copies>', `from 1 to ${MAX_COPIES}; "inherit" for a directory: as its parent`, parseCopies)
    .argument('<paths...>', 'files and directories')
    .option('-r, --recursive', 'the files that are below a directory now, too')
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
      `${path}: ${formatBytes(stat.sizeBytes)} in ${counted(blocks.length, 'block')}, ${counted(stat.replication, 'copy')} wanted`,
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
        [hash, formatBytes(sizeBytes).padStart(10), `block ${position} of ${pathHint}`].join('  '),
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
    await eachPath(shell, paths, async (path) => {
      for await (const next of changesAt(client, path, copies, {
        isRecursive: flags.recursive ?? false,
        signal,
      })) {
        const change = client.setReplication(next.path, next.copies, { signal }).then(() => next);
        if ((await (next.path === path ? change : orGone(change))) === undefined) continue;
        const { kind, copies: replication } = next;
        await shell.output.result({ path: next.path, kind, replication }, () => describeChange(next));
      }
    });
  });
}

interface Change {
  readonly path: string;
  readonly kind: string;
  /** INHERIT for a directory: as its parent. */
  readonly copies: number;
}

/** With `isRecursive` the files below get what the directory says, and directories below say nothing of their own. */
async function* changesAt(
  client: Client,
  path: string,
  copies: number,
  { isRecursive, signal }: { isRecursive: boolean; signal: AbortSignal },
): AsyncGenerator<Change> {
  const { kind } = await client.stat(path, { signal });
  if (kind !== 'directory' && copies === INHERIT)
    throw usage(`"inherit" is for directories, and ${path} is none.`);
  yield { path, kind, copies };
  if (kind !== 'directory' || !isRecursive) return;
  const { inheritedReplication } = await client.stat(path, { signal });
  for await (const entry of client.walk(path, { signal })) {
    const { stat } = entry;
    if (entry.path === path || stat.kind === 'symlink') continue;
    if (stat.kind === 'file') yield { path: entry.path, kind: 'file', copies: inheritedReplication };
    else if (stat.replication !== INHERIT) yield { path: entry.path, kind: stat.kind, copies: INHERIT };
  }
}

function describeChange({ path, kind, copies }: Change): string {
  if (kind !== 'directory') return `${counted(copies, 'copy')}  ${path}`;
  const what = copies === INHERIT ? 'as the directory above' : counted(copies, 'copy');
  return `${what} for new files in  ${path}`;
}

function parseCopies(text: string): number {
  return text === 'inherit' ? INHERIT : wholeNumber(1, MAX_COPIES)(text);
}
