/** @module `holdfast fsck`: which files are well, and what is wrong with the others. */
import type { Command } from 'commander';
import type { FileCheck, FileState } from '../src/client/file-check.ts';
import { counted } from './counted.ts';
import { filesUnhealthy } from './errors.ts';
import { orGone } from './gone.ts';
import { addClientCommand, type ClientFlags } from './options.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';

interface FsckFlags extends ClientFlags {
  readonly verify?: boolean;
}

export function addFsckCommand(program: Command, shell: Shell): void {
  addClientCommand(
    program,
    'fsck [path]',
    {
      summary:
        'ask the datanodes for every copy of every file: healthy, misplaced, under-replicated, corrupt or missing; exits with 1 unless all are healthy',
      example: 'holdfast fsck\nholdfast fsck /photos --verify --json',
    },
    shell.terminal,
  )
    .option('--verify', 'have every copy read whole first: takes as long as reading all of it')
    .action((path: string | undefined, flags: FsckFlags) => fsck(shell, remotePath(path ?? '/'), flags));
}

/** With --json one line for each file. */
async function fsck(shell: Shell, path: string, flags: FsckFlags): Promise<void> {
  const { signal } = shell;
  const counts = new Map<FileState, number>();
  await shell.withClient(flags, async (client) => {
    const checker = client.fileChecker({ verify: flags.verify, signal });
    for await (const entry of client.walk(path, { signal })) {
      if (entry.stat.kind !== 'file') continue;
      const check = await orGone(checker.check(entry.path));
      if (check === undefined) continue;
      counts.set(check.state, (counts.get(check.state) ?? 0) + 1);
      await shell.output.result({ path: entry.path, ...asJson(check) }, () => describe(entry.path, check));
    }
  });
  const files = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const unwell = [...counts].filter(([state]) => state !== 'healthy');
  if (unwell.length > 0) throw filesUnhealthy(unwell.map(([state, count]) => `${count} ${state}`));
  await shell.output.note(`${counted(files, 'file')}, all healthy.`);
}

/** Nothing of a file that is well. */
function describe(path: string, { state, blocks, stat }: FileCheck): readonly string[] {
  if (state === 'healthy') return [];
  const unwell = blocks.filter((block) => block.state !== 'healthy');
  return [
    `${state.padEnd(16)}  ${path}`,
    ...unwell.map(({ position, hash, copies, state: what }) => {
      const where = copies.map(({ node, state: copy }) => `${node}:${copy}`).join(' ') || 'nowhere';
      return `  block ${position} ${hash.slice(0, 12)} ${what}, ${stat.replication} wanted: ${where}`;
    }),
  ];
}

function asJson({ state, stat, blocks }: FileCheck): object {
  const { sizeBytes, replication } = stat;
  return { state, sizeBytes, replication, blocks: blocks.filter((block) => block.state !== 'healthy') };
}
