/** @module What a visit to every node shows: who is reached and how, and whose clock is wrong. */
import type { NodeVisit } from '../../src/client/node-visit.ts';
import { counted } from '../counted.ts';
import type { HealthCheck } from '../health-check.ts';
import { check } from './check.ts';

/** Above what NTP leaves by far; leases, dates and backups bear more, people reading them do not. */
const CLOCK_TOLERANCE_MS = 2_000;

/** `own`: number of this machine's node, if it has one. */
export function nodeChecks(visits: readonly NodeVisit[], own: number | undefined): readonly HealthCheck[] {
  return [reachabilityCheck(visits), ...portCheck(visits, own), clockCheck(visits)];
}

function reachabilityCheck(visits: readonly NodeVisit[]): HealthCheck {
  const silent = visits.filter(({ failure }) => failure !== undefined);
  const slowest = Math.max(0, ...visits.map(({ roundTripMs }) => roundTripMs));
  if (silent.length === 0)
    return check(
      'reachability',
      'ok',
      `${counted(visits.length, 'node')} reached from here, all there are, the slowest in ${slowest.toFixed(1)} ms`,
    );
  const finding = `not reached from here: ${silent.map(({ member, failure }) => `${nameOf(member)}, ${failure?.message ?? ''}`).join('; ')}`;
  const advice =
    'Is the node running ("cluster status")? If so a firewall is between: its TCP port (4600) must be open to this machine.';
  return check('reachability', 'warn', finding, advice);
}

/** The metadata nodes dial every node back; one that none of them reaches has said so in its addresses. */
function portCheck(visits: readonly NodeVisit[], own: number | undefined): readonly HealthCheck[] {
  const relayed = visits.filter(({ isBehindRelays }) => isBehindRelays);
  const mine = relayed.find(({ member }) => member.number === own);
  const advice =
    'Forward its TCP port on the router, and say so with "node start --announce /ip4/<public>/tcp/4600": bulk over relays is slow.';
  if (mine !== undefined)
    return [
      check(
        'ports',
        'warn',
        'no metadata node can dial the node of this machine: it is reached over relays',
        advice,
      ),
    ];
  if (relayed.length === 0) return [check('ports', 'ok', 'the metadata nodes can dial every node')];
  const finding = `reached over relays alone: ${relayed.map(({ member }) => nameOf(member)).join(', ')}`;
  return [check('ports', 'warn', finding, advice)];
}

function clockCheck(visits: readonly NodeVisit[]): HealthCheck {
  const told = visits.flatMap(({ member, clockAheadMs, roundTripMs }) =>
    clockAheadMs === undefined ? [] : [{ member, clockAheadMs, roundTripMs }],
  );
  const wrong = told.filter(
    ({ clockAheadMs, roundTripMs }) => Math.abs(clockAheadMs) > CLOCK_TOLERANCE_MS + roundTripMs / 2,
  );
  const most = Math.max(0, ...told.map(({ clockAheadMs }) => Math.abs(clockAheadMs)));
  if (wrong.length === 0)
    return check(
      'clocks',
      'ok',
      `the clocks of ${counted(told.length, 'node')} differ from this one by ${(most / 1000).toFixed(1)} s at most`,
    );
  const finding = wrong
    .map(({ member, clockAheadMs }) => {
      const seconds = (Math.abs(clockAheadMs) / 1000).toFixed(1);
      return `the clock of ${nameOf(member)} is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this one`;
    })
    .join('; ');
  const advice =
    wrong.length === told.length && told.length > 1
      ? 'All differ: it is this machine’s clock. Keep it with NTP (chrony, systemd-timesyncd).'
      : 'Keep clocks with NTP (chrony, systemd-timesyncd) on every machine.';
  return check('clocks', 'warn', finding, advice);
}

function nameOf({ number, name }: NodeVisit['member']): string {
  return `node ${number} (${name})`;
}
