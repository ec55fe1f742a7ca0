/** @module `holdfast cluster members`: who belongs to the cluster, what each does, and how far each log is. */
import type { Command } from 'commander';
import type { Client } from '../src/client/client.ts';
import type { Member } from '../src/namespace/schema.ts';
import type { MetadataNodeStatus, StatusResponse } from '../src/protocol/messages.ts';
import { addReadCommand, type ReadFlags } from './options.ts';
import type { Shell } from './shell.ts';
import { askStatus } from './status-query.ts';
import { textTable } from './text-table.ts';

interface MembersFlags extends ReadFlags {
  readonly all?: boolean;
}

/** One line, and one entry of `members` with --json. */
export interface MemberLine {
  readonly number: number;
  readonly name: string;
  readonly roles: readonly string[];
  /** leader, voter, learner, joining; empty for others than metadata nodes. */
  readonly raft: string;
  /** alive, suspect, dead, unknown; left; client. */
  readonly state: string;
  /** Index of the last entry of its log, and entries it is behind the commit index; absent where unknown. */
  readonly match?: number;
  readonly lag?: number;
  readonly addresses: readonly string[];
  readonly version: string;
}

export function addMembersCommand(group: Command, shell: Shell): void {
  addReadCommand(
    group,
    'members',
    {
      summary: 'the nodes of the cluster: roles, who votes and who leads, how far each log is',
      example: 'holdfast cluster members\nholdfast cluster members --all --json | jq .members',
    },
    shell.terminal,
  )
    .option('--all', 'also clients, and nodes that have left')
    .action((flags: MembersFlags) => showMembers(shell, flags));
}

async function showMembers(shell: Shell, flags: MembersFlags): Promise<void> {
  await shell.withClient(flags, async (client) => {
    const { answer, isStale } = await askStatus(client, flags.stale ?? false, shell.signal);
    const others = flags.all ? await otherMembers(client, isStale, shell.signal) : [];
    const members = [...nodeLines(answer), ...others.map(otherLine)].toSorted((a, b) => a.number - b.number);
    const { cluster, leader, term, commit, membership } = answer;
    await shell.output.result(
      {
        cluster: cluster?.id,
        epoch: cluster?.epoch,
        leader,
        term,
        commit,
        stale: isStale,
        membership,
        members,
      },
      () => membersTable(members),
    );
  });
}

async function otherMembers(client: Client, stale: boolean, signal: AbortSignal): Promise<Member[]> {
  const { members } = await client.members({ stale, signal });
  return members.filter(({ state, roles }) => state !== 'active' || roles.every((role) => role === 'client'));
}

/** A node that keeps both metadata and blocks is one line. */
export function nodeLines(status: StatusResponse): MemberLine[] {
  const lines = new Map<number, MemberLine>();
  for (const { member, liveness } of status.dataNodes)
    if (member !== undefined) lines.set(member.number, { ...facts(member), state: liveness });
  for (const node of status.metadataNodes)
    if (node.member !== undefined)
      lines.set(node.member.number, {
        ...facts(node.member),
        ...logFacts(node, status.commit),
        raft: node.raftRole,
        state: node.reachable ? 'alive' : 'dead',
        version: node.position?.version ?? '',
      });
  return [...lines.values()];
}

function otherLine(member: Member): MemberLine {
  return { ...facts(member), state: member.state === 'active' ? 'client' : member.state };
}

function facts({ number, name, roles, addresses }: Member): MemberLine {
  return { number, name, roles, raft: '', state: '', addresses, version: '' };
}

function logFacts({ position }: MetadataNodeStatus, commit: number): Pick<MemberLine, 'match' | 'lag'> {
  if (position === undefined) return {};
  return { match: position.lastIndex, lag: Math.max(0, commit - position.lastIndex) };
}

function membersTable(members: readonly MemberLine[]): string[] {
  const rows = members.map(({ number, name, roles, raft, state, match, lag, version, addresses }) => [
    String(number),
    name,
    roles.join(','),
    raft,
    state,
    match === undefined ? '' : String(match),
    lag === undefined ? '' : String(lag),
    version,
    addresses[0] ?? '',
  ]);
  return textTable(
    [['NODE', 'NAME', 'ROLES', 'RAFT', 'STATE', 'LOG UP TO', 'LAG', 'VERSION', 'ADDRESS'], ...rows],
    [0, 5, 6],
  );
}
