/** @module Who belongs to the cluster. Numbers are given out once and never again. */
import { invalidArgument, lastMetadataNode, limitReached, noSuchMember } from '../errors.ts';
import { hasLevel } from '../feature-level.ts';
import { numberKey } from '../keys.ts';
import { MAX_MEMBERS } from '../limits.ts';
import { DONE, memberResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { AddMember, Member, RemoveMember, ReplaceMember, Result, UpdateMember } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';
import { checkRoles } from './roles.ts';
import { checkToken, spendToken } from './tokens.ts';

/**
 * Admits a peer by a token, or without one when the command comes from inside the cluster (`token_id` empty).
 * A retry is answered with the member it made. An active member that joins again gets the further roles under its
 * number; a peer that left gets a new number, because its old one may still be spoken of.
 */
export function addMember(view: RowView, command: AddMember, context: ApplyContext): Result {
  const { member, tokenId } = command;
  if (member === undefined || member.peer === '') throw invalidArgument('A member is added by its peer id.');
  checkRoles(member.roles);
  const active = view.all('member').find(({ peer, state }) => peer === member.peer && state === 'active');
  const hasRoles = active !== undefined && member.roles.every((role) => active.roles.includes(role));
  if (tokenId !== '') {
    const isRetry = hasRoles;
    const token = checkToken(view, command, member, isRetry, context);
    if (!isRetry) spendToken(view, token, member.peer);
  }
  if (active === undefined) return memberResult(admit(view, member, context));
  if (hasRoles) return memberResult(active);
  const roles = [...new Set([...active.roles, ...member.roles])];
  return memberResult(putMember(view, { ...active, roles }, context));
}

/** Gives `member` the next number. */
export function admit(view: RowView, member: Member, context: ApplyContext): Member {
  checkRoles(member.roles);
  const number = view.counters.nextMember;
  if (number > MAX_MEMBERS) throw limitReached('members', MAX_MEMBERS);
  view.counters.nextMember = number + 1;
  const { name, host, zone, peer, roles, addresses } = member;
  // Older nodes know no groups; what a datanode's state is, nobody brings along.
  const hostGroup = hasLevel(view, 2) ? member.hostGroup : undefined;
  const identity = { number, peer, roles, name, host, zone, hostGroup, addresses };
  return putMember(view, { ...identity, joinedMs: context.timeMs, state: 'active' }, context);
}

/** What is empty in the command stays as it is. */
export function updateMember(view: RowView, command: UpdateMember, context: ApplyContext): Result {
  const member = view.get('member', numberKey(command.number));
  if (member === undefined || member.state !== 'active') throw noSuchMember(command.number);
  if (command.roles.length > 0) checkRoles(command.roles);
  const updated: Member = {
    ...member,
    addresses: command.addresses.length > 0 ? command.addresses : member.addresses,
    roles: command.roles.length > 0 ? command.roles : member.roles,
    name: command.name || member.name,
    host: command.host || member.host,
    zone: command.zone || member.zone,
    hostGroup: (hasLevel(view, 2) ? command.hostGroup : undefined) || member.hostGroup,
  };
  return memberResult(putMember(view, updated, context));
}

/**
 * A second removal changes nothing. The row stays, so that the number is never given out again. Of level 2: the last
 * metadata node stays, also when two removals that each left one were on their way together.
 */
export function removeMember(view: RowView, command: RemoveMember, context: ApplyContext): Result {
  const member = view.get('member', numberKey(command.number));
  if (member === undefined) throw noSuchMember(command.number);
  if (member.state !== 'active') return DONE;
  if (hasLevel(view, 2) && isLastMetadataNode(view, member)) throw lastMetadataNode(member.number);
  putMember(view, { ...member, state: 'left' }, context);
  return DONE;
}

/**
 * Takes member `number` out and admits the same peer under the next number, in one step: at no moment is it a stranger.
 * Repeated, it answers with the member that it made.
 */
export function replaceMember(view: RowView, { number }: ReplaceMember, context: ApplyContext): Result {
  const member = view.get('member', numberKey(number));
  if (member === undefined) throw noSuchMember(number);
  if (member.state === 'active') {
    putMember(view, { ...member, state: 'left' }, context);
    return memberResult(admit(view, member, context));
  }
  const heir = view.all('member').find(({ peer, state }) => peer === member.peer && state === 'active');
  if (heir === undefined) throw noSuchMember(number);
  return memberResult(heir);
}

function isLastMetadataNode(view: RowView, { number, roles }: Member): boolean {
  const isOther = (member: Member): boolean =>
    member.number !== number && member.state === 'active' && member.roles.includes('meta');
  return roles.includes('meta') && !view.all('member').some(isOther);
}

export function putMember(view: RowView, member: Member, context: ApplyContext): Member {
  view.put('member', numberKey(member.number), member);
  view.counters.membersVersion = context.index;
  return member;
}
