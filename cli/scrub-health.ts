/** @module Whether every datanode reads all it holds in time, and what was bad of it: a health check. */
import { SCRUB_PERIOD_MS } from '../src/datanode/scrubber.ts';
import type { DataNodeStatus, ScrubReport, StatusResponse } from '../src/protocol/messages.ts';
import { counted } from './counted.ts';
import { formatDuration, formatTime } from './duration.ts';
import { check, type HealthCheck } from './health-check.ts';

type Scrubbed = DataNodeStatus & { readonly scrub: ScrubReport };

/** Of datanodes that are away nothing is said here. */
export function scrubCheck({ dataNodes }: StatusResponse, nowMs: number): HealthCheck {
  const scrubbed = dataNodes.filter(
    (each): each is Scrubbed => each.liveness === 'alive' && each.scrub !== undefined,
  );
  const bad = scrubbed.filter(({ scrub }) => scrub.corrupt > 0);
  const late = scrubbed.filter(({ scrub }) => nowMs - readSince(scrub) > 2 * SCRUB_PERIOD_MS);
  if (bad.length > 0)
    return check(
      'scrub',
      'warn',
      bad.map(badCopies).join('; '),
      'They were taken out of service and are made anew. If it goes on, look after the disk (smartctl), or drain the node.',
    );
  if (late.length > 0)
    return check(
      'scrub',
      'warn',
      `${nodesOf(late)}: not all was read within ${formatDuration(2 * SCRUB_PERIOD_MS)}`,
      'See "holdfast scrub status": it may be paused; "holdfast scrub run" reads quickly.',
    );
  const complete = scrubbed.filter(({ scrub }) => scrub.completeSinceMs > 0).length;
  return check('scrub', 'ok', `no bad copy found; ${progressOf(complete, scrubbed.length)}`);
}

function progressOf(complete: number, datanodes: number): string {
  if (datanodes === 0) return 'nothing was read yet';
  const others = complete === datanodes ? '' : ', the others are at it';
  return `${complete} of ${counted(datanodes, 'datanode')} read all they hold${others}`;
}

/** What was not read since then was never, or too long ago. */
function readSince({ completeSinceMs, startedMs }: ScrubReport): number {
  return completeSinceMs || startedMs;
}

function badCopies({ member, scrub }: Scrubbed): string {
  return `${counted(scrub.corrupt, 'bad copy')} on ${member?.number} (${member?.name}) since ${formatTime(scrub.startedMs)}`;
}

function nodesOf(datanodes: readonly DataNodeStatus[]): string {
  return datanodes.map(({ member }) => `${member?.number} (${member?.name})`).join(', ');
}
