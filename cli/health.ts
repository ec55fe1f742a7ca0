/** @module Named health checks over one status answer: what is well, what is not, and what to do. */
import { systemClock } from '../src/common/clock.ts';
import { isRecovering } from '../src/namespace/collection.ts';
import type { StatusResponse } from '../src/protocol/messages.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { check, type HealthCheck, LOW_SPACE, NO_SPACE } from './health-check.ts';
import { scrubCheck } from './scrub-health.ts';

export function healthChecks(
  status: StatusResponse,
  nowMs: number = systemClock.wallMs(),
): readonly HealthCheck[] {
  return [
    quorum(status),
    leader(status),
    datanodes(status),
    capacity(status),
    underReplicated(status),
    missing(status),
    scrubCheck(status, nowMs),
    relays(status),
    ...recovery(status),
  ];
}

function quorum(status: StatusResponse): HealthCheck {
  const { metadataNodes } = status;
  const voters = metadataNodes.filter(({ raftRole }) => raftRole === 'leader' || raftRole === 'voter');
  const learners = metadataNodes.filter(({ raftRole }) => raftRole === 'learner').length;
  const reachable = voters.filter((node) => node.reachable).length;
  const needed = Math.floor(voters.length / 2) + 1;
  const waiting = learners === 0 ? '' : `, ${counted(learners, 'learner')} beside them`;
  const finding = `${reachable} of ${voters.length} voting metadata nodes answer, ${needed} are needed${waiting}`;
  const away = voters
    .filter((node) => !node.reachable)
    .map(({ member }) => `${member?.number} (${member?.name})`)
    .join(', ');
  if (reachable < needed)
    return check(
      'quorum',
      'fail',
      finding,
      `Writes are refused. Start ${away}. If their disks are gone for good: "holdfast cluster recover" on a survivor.`,
    );
  if (away !== '')
    return check(
      'quorum',
      'warn',
      finding,
      `${urgency(reachable, needed)}Start ${away}${replacement(status)}.`,
    );
  if (voters.length < 3)
    return check(
      'quorum',
      'warn',
      finding,
      'The loss of one stops all writes. Join metadata nodes until there are three.',
    );
  return check('quorum', 'ok', finding);
}

function urgency(reachable: number, needed: number): string {
  return reachable === needed ? 'A bare majority is left: the loss of one more stops all writes. ' : '';
}

/** What becomes of the places of silent voters by itself, and what to do where nothing does. */
function replacement({ membership }: StatusResponse): string {
  if (membership === undefined) return '';
  const { silent, voterReplacementMs, isChanging } = membership;
  if (isChanging) return '; the voters are being changed just now';
  const taken = silent
    .filter(({ replacement: by }) => by !== 0)
    .map(({ node, silentMs, replacement: by }) => {
      const leftMs = Math.max(0, voterReplacementMs - silentMs);
      return `node ${by} takes the place of ${node} in ${formatDuration(leftMs)}`;
    });
  if (taken.length > 0) return `; else ${taken.join(', ')}`;
  return ', or join another metadata node: it takes the place of the one that is gone';
}

function leader({ leader: number, term }: StatusResponse): HealthCheck {
  return number === 0
    ? check('leader', 'fail', `none in term ${term}`, 'Wait a few seconds; if it stays, see the quorum.')
    : check('leader', 'ok', `node ${number} in term ${term}`);
}

function datanodes({ dataNodes }: StatusResponse): HealthCheck {
  const alive = dataNodes.filter(({ liveness }) => liveness === 'alive').length;
  const finding = `${alive} of ${dataNodes.length} are alive`;
  const silent = dataNodes
    .filter(({ liveness }) => liveness !== 'alive')
    .map(({ member, liveness }) => `${member?.number} (${member?.name}, ${liveness})`);
  if (alive === 0)
    return check('datanodes', 'fail', finding, 'Files cannot be read or written. Start a datanode.');
  if (silent.length > 0) return check('datanodes', 'warn', finding, `Look after ${silent.join(', ')}.`);
  const failed = namesOf(dataNodes.filter(({ readOnly }) => readOnly));
  if (failed !== '')
    return check(
      'datanodes',
      'warn',
      finding,
      `A write to the disk of ${failed} has failed, and nothing more is placed there: look at that disk, then restart the node, or drain it.`,
    );
  const lonely = namesOf(dataNodes.filter(({ reachable }) => reachable === false));
  if (lonely !== '')
    return check(
      'datanodes',
      'warn',
      finding,
      `Nothing is placed on ${lonely} until others find a way there: if that takes longer than some seconds, forward a port and --announce it.`,
    );
  return check('datanodes', 'ok', finding);
}

function namesOf(dataNodes: StatusResponse['dataNodes']): string {
  return dataNodes.map(({ member }) => `${member?.number} (${member?.name})`).join(', ');
}

const NOTHING_TO_SPARE =
  'No disk has more than a datanode leaves free on it: make room there, or join one with a larger disk.';

function capacity({ dataNodes }: StatusResponse): HealthCheck {
  const alive = dataNodes.filter(({ liveness }) => liveness === 'alive');
  const total = sum(alive.map(({ capacityBytes }) => capacityBytes));
  const free = sum(alive.filter(({ readOnly }) => !readOnly).map(({ freeBytes }) => freeBytes));
  const finding = `${formatBytes(free)} of ${formatBytes(total)} are free`;
  if (alive.length === 0) return check('capacity', 'fail', finding, 'Start a datanode.');
  if (total === 0) return check('capacity', 'fail', finding, NOTHING_TO_SPARE);
  if (free / total < NO_SPACE)
    return check('capacity', 'fail', finding, 'Join a datanode or remove files now.');
  if (free / total < LOW_SPACE) return check('capacity', 'warn', finding, 'Join a datanode soon.');
  return check('capacity', 'ok', finding);
}

function underReplicated(status: StatusResponse): HealthCheck {
  const { blocksUnderReplicated: blocks, bytesUnderReplicated: bytes, atRiskComplete } = status;
  const finding = `${counted(blocks, 'block')}, ${formatBytes(bytes)} at risk${atRiskComplete ? '' : ' (still counting)'}`;
  return blocks === 0
    ? check('under-replicated', 'ok', finding)
    : check(
        'under-replicated',
        'warn',
        finding,
        'They are being copied; see below. Datanodes that come back speed it up.',
      );
}

function missing({ blocksMissing, atRiskComplete }: StatusResponse): HealthCheck {
  const finding = `${counted(blocksMissing, 'block')} without a living copy${atRiskComplete ? '' : ' (still counting)'}`;
  return blocksMissing === 0
    ? check('missing', 'ok', finding)
    : check('missing', 'fail', finding, 'Start the datanodes that are away: they hold the only copies.');
}

/** Said only while one is open: it holds collection, and shall not be forgotten. */
function recovery({ cluster }: StatusResponse): HealthCheck[] {
  if (!isRecovering(cluster)) return [];
  return [
    check(
      'recovery',
      'warn',
      'a recovery of the namespace is open: nothing is collected, and no backup is made',
      'When all that is to come back is there: "holdfast recover finish".',
    ),
  ];
}

/** A block over a relay costs a metadata node its bandwidth twice, and both ends their patience. */
function relays({ reach }: StatusResponse): HealthCheck {
  const relayed = reach.filter(({ path }) => path === 'relayed');
  const peers = sum(relayed.map((line) => line.peers));
  const bytes = sum(relayed.map(({ relayedBytes }) => relayedBytes));
  if (bytes === 0) return check('relays', 'ok', 'no bulk data goes over relays');
  return check(
    'relays',
    'warn',
    `${formatBytes(bytes)} of bulk data went over metadata nodes, ${counted(peers, 'path')} of now among them`,
    'Forward the TCP port of the nodes behind NAT and tell it with --announce, or turn on UPnP at their routers.',
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
