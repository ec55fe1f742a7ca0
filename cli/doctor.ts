/** @module `holdfast doctor`: what is wrong on this machine and between it and its cluster; works when the cluster is down. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../src/common/clock.ts';
import { clusterChecks, unreachableCluster } from './doctor/cluster-check.ts';
import { spaceCheck, syncCheck } from './doctor/disk-check.ts';
import { nodeChecks } from './doctor/node-check.ts';
import { fileLimitCheck, memoryCheck } from './doctor/machine-check.ts';
import { unhealthy } from './errors.ts';
import { check, type HealthCheck } from './health-check.ts';
import { addClientCommand, addDirectoryOption, type ClientFlags, type NodeFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { textTable } from './text-table.ts';
import { VERSION } from './version.ts';

type DoctorFlags = ClientFlags & NodeFlags;

/** A cluster without a quorum takes longer than this to say so; what one node knows is asked for, which needs none. */
const STATUS_LIMIT_MS = 10_000;

export function addDoctorCommand(program: Command, shell: Shell): void {
  const command = addClientCommand(
    program,
    'doctor',
    {
      summary:
        'look for what is wrong with this machine (disk, file limit, memory), its cluster (health, versions) and the way to every node (reachability, ports, clocks); exits with 1 when a check fails',
      example: 'holdfast doctor\nholdfast doctor --json | jq .checks',
    },
    shell.terminal,
  );
  addDirectoryOption(command, shell.terminal).action((flags: DoctorFlags) => doctor(shell, flags));
}

async function doctor(shell: Shell, flags: DoctorFlags): Promise<void> {
  const checks = [...(await diskChecks(flags.dir)), await fileLimitCheck(), memoryCheck()];
  checks.push(...(await askCluster(shell, flags)));
  await shell.output.result({ directory: flags.dir, checks }, () =>
    textTable(
      checks.map(({ name, health, finding, advice }) => [health.toUpperCase(), name, finding, advice]),
    ),
  );
  const failing = checks.filter(({ health }) => health === 'fail').map(({ name }) => name);
  if (failing.length > 0) throw unhealthy(failing);
}

async function diskChecks(directory: string): Promise<readonly HealthCheck[]> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return [await spaceCheck(directory), await syncCheck(directory)];
  const advice = 'Where a node lives elsewhere, name its directory with --dir.';
  return [check('disk', 'ok', `no node has its data in ${directory}; its disk was not looked at`, advice)];
}

async function askCluster(shell: Shell, flags: DoctorFlags): Promise<readonly HealthCheck[]> {
  const signal = AbortSignal.any([shell.signal, AbortSignal.timeout(STATUS_LIMIT_MS)]);
  let checks: readonly HealthCheck[] = [];
  try {
    await shell.withClient(flags, async (client) => {
      const status = await client.status({ stale: true, signal });
      checks = clusterChecks(status, { version: VERSION, nowMs: systemClock.wallMs() });
      const lonely = status.dataNodes.filter(({ reachable }) => reachable === false);
      const known = {
        own: await ownNumber(flags.dir),
        lonely: new Set(lonely.map(({ member }) => member?.number ?? 0)),
      };
      checks = [...checks, ...nodeChecks(await client.visitNodes({ signal }), known)];
    });
    return checks;
  } catch (error) {
    shell.signal.throwIfAborted();
    return [...checks, unreachableCluster(error)];
  }
}

/** Of the node that lives in `directory`, if one does. */
async function ownNumber(directory: string): Promise<number | undefined> {
  const { loadNodeConfig } = await import('../src/node/node-config.ts');
  return (await loadNodeConfig(join(directory, 'node.json')))?.number;
}
