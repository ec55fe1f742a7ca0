/** @module `holdfast du` and `df`: what files take, and what room there is. */
import type { Command } from 'commander';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { eachPath } from './each-path.ts';
import { addReadCommand, type ReadFlags } from './options.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';

export function addSpaceCommands(program: Command, shell: Shell): void {
  const { terminal } = shell;
  addReadCommand(
    program,
    'du [paths...]',
    { summary: 'bytes in files, and bytes with all copies', example: 'holdfast du /photos /mail' },
    terminal,
  ).action((paths: string[], flags: ReadFlags) => du(shell, paths, flags));
  addReadCommand(
    program,
    'df',
    { summary: 'room on the datanodes', example: 'holdfast df' },
    terminal,
  ).action((flags: ReadFlags) => df(shell, flags));
}

async function du(shell: Shell, paths: readonly string[], flags: ReadFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    await eachPath(shell, (paths.length > 0 ? paths : ['/']).map(remotePath), async (path) => {
      const usage = await client.usage(path, { stale: flags.stale, signal: shell.signal });
      const { files, directories, logicalBytes, wantedBytes } = usage;
      await shell.output.result({ path, ...usage }, () =>
        [
          formatBytes(logicalBytes).padStart(10),
          `${formatBytes(wantedBytes).padStart(10)} with copies`,
          `${counted(files, 'file')}, ${counted(directories, 'directory')}`,
          path,
        ].join('  '),
      );
    });
  });
}

async function df(shell: Shell, flags: ReadFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const { dataNodes, counters } = await client.status({ stale: flags.stale, signal: shell.signal });
    const nodes = dataNodes.map(({ member, liveness, capacityBytes, usedBytes, freeBytes }) => {
      return {
        node: member?.number ?? 0,
        name: member?.name ?? '?',
        liveness,
        capacityBytes,
        usedBytes,
        freeBytes,
      };
    });
    const alive = nodes.filter(({ liveness }) => liveness === 'alive');
    const total = {
      capacityBytes: sum(alive.map(({ capacityBytes }) => capacityBytes)),
      usedBytes: sum(alive.map(({ usedBytes }) => usedBytes)),
      freeBytes: sum(alive.map(({ freeBytes }) => freeBytes)),
    };
    const logicalBytes = counters?.logicalBytes ?? 0;
    await shell.output.result({ ...total, logicalBytes, nodes }, () => [
      ...textTable(
        [
          ['NODE', 'NAME', 'STATE', 'CAPACITY', 'USED', 'FREE'],
          ...nodes.map((node) => [String(node.node), node.name, node.liveness, ...sizes(node)]),
          ['', 'all alive', '', ...sizes(total)],
        ],
        [0, 3, 4, 5],
      ),
      `${formatBytes(logicalBytes)} in files before copies`,
    ]);
  });
}

function sizes(space: { capacityBytes: number; usedBytes: number; freeBytes: number }): string[] {
  return [space.capacityBytes, space.usedBytes, space.freeBytes].map(formatBytes);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
