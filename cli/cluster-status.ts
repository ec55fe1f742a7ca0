/** @module `holdfast cluster status`: one screen. */
import type { Command } from 'commander';
import type { StatusResponse } from '../src/protocol/messages.ts';
import { FIRST_FEATURE_LEVEL } from '../src/namespace/feature-level.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { unhealthy } from './errors.ts';
import { healthChecks } from './health.ts';
import type { HealthCheck } from './health-check.ts';
import { drainLine } from './node-drain.ts';
import { addReadCommand, type ReadFlags } from './options.ts';
import { repairLines, repairProgress } from './repair-progress.ts';
import type { Shell } from './shell.ts';
import { askStatus } from './status-query.ts';
import { textTable } from './text-table.ts';

export function addStatusCommand(group: Command, shell: Shell): void {
  addReadCommand(
    group,
    'status',
    {
      summary: 'what is well, what is not, what to do; exits with 1 when a check fails',
      example: 'holdfast cluster status\nholdfast cluster status --json | jq .checks',
    },
    shell.terminal,
  ).action((flags: ReadFlags) => showStatus(shell, flags));
}

async function showStatus(shell: Shell, flags: ReadFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const { answer, isStale } = await askStatus(client, flags.stale ?? false, shell.signal);
    const checks = healthChecks(answer);
    const repair = repairProgress(answer);
    await shell.output.result({ stale: isStale, checks, repair, ...answer }, () =>
      statusScreen(answer, checks, isStale),
    );
    const failing = checks.filter(({ health }) => health === 'fail').map(({ name }) => name);
    if (failing.length > 0) throw unhealthy(failing);
  });
}

export function statusScreen(
  status: StatusResponse,
  checks: readonly HealthCheck[],
  isStale: boolean,
): readonly string[] {
  const { cluster, counters, answeredBy, applied } = status;
  const names = `${counted(counters?.files ?? 0, 'file')}, ${counted(counters?.directories ?? 0, 'directory')}`;
  return [
    `Cluster ${cluster?.name ?? '?'} (${cluster?.id ?? '?'}): ${names}, ${formatBytes(counters?.logicalBytes ?? 0)}`,
    featureLine(status),
    ...(isStale ? [`No quorum answers: this is what node ${answeredBy} knew at index ${applied}.`] : []),
    '',
    ...textTable(
      checks.map(({ name, health, finding, advice }) => [health.toUpperCase(), name, finding, advice]),
    ),
    '',
    ...textTable(metadataRows(status), [0, 4, 5]),
    '',
    ...textTable(datanodeRows(status), [0, 4, 5, 6, 7]),
    ...reachLines(status),
    ...repairLines(repairProgress(status)),
    ...status.dataNodes.filter(({ member }) => member?.drain).map((datanode) => drainLine(status, datanode)),
    ...workerLines(status),
  ];
}

/** How the nodes reach each other and the clients; clients come and go, so theirs are those of now. */
function reachLines({ reach }: StatusResponse): readonly string[] {
  const open = reach.filter(({ peers, relayedBytes }) => peers > 0 || relayedBytes > 0);
  if (open.length === 0) return [];
  return [
    '',
    ...textTable(
      [
        ['FROM', 'TO', 'PATH', 'CONNECTED', 'BULK OVER RELAYS'],
        ...open.map(({ from, to, path, peers, relayedBytes }) => [
          from,
          to,
          path,
          String(peers),
          path === 'relayed' ? formatBytes(relayedBytes) : '',
        ]),
      ],
      [3, 4],
    ),
  ];
}

/** The feature level in force and, where newer releases could do more, which metadata nodes hold it back. */
function featureLine({ cluster, metadataNodes }: StatusResponse): string {
  const active = cluster?.featureLevel ?? FIRST_FEATURE_LEVEL;
  const levels = metadataNodes.map(({ member, position }) => ({
    name: `${member?.number ?? '?'} (${member?.name ?? '?'})`,
    // One that does not answer holds it back, too: it may come back as the old release.
    level: position === undefined ? 0 : position.featureLevel || FIRST_FEATURE_LEVEL,
  }));
  const best = Math.max(active, ...levels.map(({ level }) => level));
  if (best === active) return `Feature level ${active}.`;
  const behind = levels.filter(({ level }) => level <= active).map(({ name }) => name);
  if (behind.length === 0) return `Feature level ${active}, about to rise.`;
  return `Feature level ${active}. Level ${best} waits for node ${behind.join(', ')}: start or upgrade what is away or old, or remove it.`;
}

function metadataRows({ metadataNodes }: StatusResponse): readonly string[][] {
  return [
    ['NODE', 'METADATA', 'ROLE', 'ANSWERS', 'INDEX RECORDS', 'LOG UP TO'],
    ...metadataNodes.map(({ member, raftRole, reachable, position, indexRecords }) => [
      String(member?.number ?? '?'),
      member?.name ?? '?',
      raftRole,
      reachable ? 'yes' : 'no',
      String(indexRecords),
      position === undefined ? '' : String(position.lastIndex),
    ]),
  ];
}

/** Background work that fails again and again; the rest is in --json. */
function workerLines({ keepers }: StatusResponse): readonly string[] {
  return keepers.flatMap(({ node, workers }) =>
    workers
      .filter(({ state }) => state === 'stuck')
      .map(({ name }) => `Node ${node}: the last step of ${name} failed; its log says why.`),
  );
}

function datanodeRows({ dataNodes }: StatusResponse): readonly string[][] {
  return [
    ['NODE', 'DATANODE', 'HOST', 'STATE', 'CAPACITY', 'USED', 'FREE', 'BLOCKS', 'HEARD'],
    ...dataNodes.map(({ member, liveness, capacityBytes, usedBytes, freeBytes, blocks, silentMs }) => [
      String(member?.number ?? '?'),
      member?.name ?? '?',
      member?.host ?? '?',
      member?.drain ? `${liveness}, ${member.drain}` : liveness,
      formatBytes(capacityBytes),
      formatBytes(usedBytes),
      formatBytes(freeBytes),
      String(blocks),
      liveness === 'unknown' ? 'never' : `${formatDuration(silentMs)} ago`,
    ]),
  ];
}
