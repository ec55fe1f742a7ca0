/** @module What a visit to every node shows: who is reached and how, and whose clock is wrong. */
import type { NodeVisit } from '../../src/client/node-visit.ts';
import { counted } from '../counted.ts';
import { check, type HealthCheck } from '../health-check.ts';

/** Above what NTP leaves by far; leases, dates and backups bear more, people reading them do not. */
const CLOCK_TOLERANCE_MS = 2_000;

export interface NodeCheckOptions {
  /** Number of this machine's node, if it has one. */
  readonly own: number | undefined;
  /** Datanodes that say themselves that nobody has found a way to them yet. */
  readonly lonely: ReadonlySet<number>;
}

export function nodeChecks(visits: readonly NodeVisit[], options: NodeCheckOptions): readonly HealthCheck[] {
  return [reachabilityCheck(visits), portCheck(visits, options), clockCheck(visits)];
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

/** The metadata nodes dial every node back; one that some of them do not reach says so. Of one that is silent nothing is known. */
function portCheck(visits: readonly NodeVisit[], { own, lonely }: NodeCheckOptions): HealthCheck {
  const isShut = ({ member, isBehindRelays }: NodeVisit): boolean =>
    isBehindRelays || lonely.has(member.number);
  const shut = visits.filter(isShut);
  const advice =
    'Forward its TCP port on the router, and say so with "node start --announce /ip4/<public>/tcp/4600": bulk over relays is slow.';
  if (shut.some(({ member }) => member.number === own))
    return check(
      'ports',
      'warn',
      'not every metadata node can dial the node of this machine: it is reached over relays, or not at all',
      advice,
    );
  if (shut.length > 0) {
    const names = shut.map(({ member }) => nameOf(member)).join(', ');
    return check('ports', 'warn', `not dialable by every metadata node: ${names}`, advice);
  }
  const silent = visits.filter(({ failure }) => failure !== undefined);
  if (silent.length === 0) return check('ports', 'ok', 'the metadata nodes can dial every node');
  const names = silent.map(({ member }) => nameOf(member)).join(', ');
  const finding = `the metadata nodes can dial every node that answers; not known of ${names}`;
  return check('ports', 'warn', finding, 'Start what is down, then look again.');
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
