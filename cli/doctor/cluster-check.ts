/** @module What the cluster says of itself to the doctor: its health, the releases that run, and whether its clock is ahead. */
import { describeError, isHoldfastError } from '../../src/common/errors.ts';
import type { StatusResponse } from '../../src/protocol/messages.ts';
import { healthChecks } from '../health.ts';
import { check, type HealthCheck } from '../health-check.ts';

/** Ahead by so much is more than a round trip. */
const CLOCK_TOLERANCE_MS = 2_000;

export function clusterChecks(
  status: StatusResponse,
  { version, nowMs }: { readonly version: string; readonly nowMs: number },
): readonly HealthCheck[] {
  const answers = check('cluster', 'ok', `metadata node ${status.answeredBy} answers`);
  return [answers, ...healthChecks(status), versionCheck(status, version), clockCheck(status, nowMs)];
}

export function unreachableCluster(error: unknown): HealthCheck {
  // A machine may well have a node and no user: nothing is known to be wrong.
  if (isHoldfastError(error, 'CLIENT_NO_PROFILE'))
    return check('cluster', 'warn', 'the cluster was not asked: there is no client profile', error.message);
  const advice =
    'Only this machine was looked at. Start the metadata nodes; a majority gone for good: "holdfast cluster recover" on a survivor.';
  return check('cluster', 'fail', `the cluster does not answer: ${describeError(error)}`, advice);
}

function versionCheck({ metadataNodes }: StatusResponse, version: string): HealthCheck {
  const others = metadataNodes.flatMap(({ position }) =>
    position === undefined || position.version === '' || position.version === version
      ? []
      : [`${position.node} runs ${position.version}`],
  );
  if (others.length === 0)
    return check('versions', 'ok', `this command and the metadata nodes are ${version}`);
  const finding = `this command is ${version}, metadata node ${others.join(', ')}`;
  return check('versions', 'warn', finding, 'Finish the upgrade, one metadata node after the other.');
}

/** The log's time never goes back and is some leader's clock; one that is behind it is wrong, or that leader's was. */
function clockCheck({ counters }: StatusResponse, nowMs: number): HealthCheck {
  const aheadMs = (counters?.timeMs ?? 0) - nowMs;
  if (aheadMs <= CLOCK_TOLERANCE_MS)
    return check('clock', 'ok', 'this clock is not behind the time in the cluster’s log');
  const finding = `the cluster’s clock is ${Math.round(aheadMs / 1000)} s ahead of this machine’s`;
  return check(
    'clock',
    'warn',
    finding,
    'Keep clocks with NTP (chrony, systemd-timesyncd) on every machine.',
  );
}
