/** @module Join tokens: who may join, as what, how often and until when. Only the hash of the secret is kept. */
import { HASH_SIZE_BYTES } from '../../common/hashing.ts';
import {
  exists,
  invalidArgument,
  limitReached,
  roleNotAllowed,
  tokenExpired,
  tokenInvalid,
  tokenRevoked,
  tokenUsedUp,
} from '../errors.ts';
import { MAX_TOKEN_USERS, MAX_TOKENS } from '../limits.ts';
import { DONE } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { AddMember, CreateToken, Member, Result, RevokeToken, Token } from '../schema.ts';
import type { ApplyContext } from '../tree.ts';
import { checkRoles } from './roles.ts';

const TOKEN_ID = /^[0-9a-zA-Z_-]{1,64}$/;

/** The same token sent again changes nothing; another one under the same id is refused (NAMESPACE_EXISTS). */
export function createToken(view: RowView, command: CreateToken, context: ApplyContext): Result {
  if (command.token === undefined) throw invalidArgument('There is no token in the command.');
  addToken(view, command.token, context);
  return DONE;
}

export function addToken(view: RowView, token: Token, context: ApplyContext): void {
  if (!TOKEN_ID.test(token.id) || token.secretHash.length !== HASH_SIZE_BYTES)
    throw invalidArgument(
      `A token has an id of letters, digits, - or _, and ${HASH_SIZE_BYTES} bytes of SHA-256 of its secret.`,
    );
  checkRoles(token.roles);
  const before = view.get('token', token.id);
  if (before !== undefined) {
    if (isEqual(before.secretHash, token.secretHash)) return;
    throw exists(`Token ${token.id}`);
  }
  makeRoom(view, context);
  view.put('token', token.id, {
    ...token,
    // Copied, or the row would hold the whole log entry it was cut from.
    secretHash: new Uint8Array(token.secretHash),
    createdMs: context.timeMs,
    revoked: false,
    usedBy: [],
  });
}

/** A second revocation changes nothing. */
export function revokeToken(view: RowView, command: RevokeToken): Result {
  const token = view.get('token', command.id);
  if (token === undefined) throw tokenInvalid(command.id);
  view.put('token', token.id, { ...token, revoked: true });
  return DONE;
}

/** The token that lets `member` in. `isRetry`: it is a member already; if it came by this token, that is enough. */
export function checkToken(
  view: RowView,
  command: AddMember,
  member: Member,
  isRetry: boolean,
  context: ApplyContext,
): Token {
  const token = view.get('token', command.tokenId);
  if (token === undefined || !isEqual(token.secretHash, command.tokenSecretHash))
    throw tokenInvalid(command.tokenId);
  if (isRetry && token.usedBy.includes(member.peer)) return token;
  if (token.revoked) throw tokenRevoked(token.id);
  if (hasExpired(token, context)) throw tokenExpired(token.id, token.expiresMs);
  if (!isRetry && isUsedUp(token)) throw tokenUsedUp(token.id);
  if (!member.roles.every((role) => token.roles.includes(role)))
    throw roleNotAllowed(token.id, member.roles, token.roles);
  return token;
}

/** Takes one use off the token and remembers who had it. */
export function spendToken(view: RowView, token: Token, peer: string): void {
  view.put('token', token.id, {
    ...token,
    usesLeft: token.unlimited ? token.usesLeft : token.usesLeft - 1,
    usedBy: [...token.usedBy, peer].slice(-MAX_TOKEN_USERS),
  });
}

/** Forgets tokens that can let nobody in any more, once there are too many. */
function makeRoom(view: RowView, context: ApplyContext): void {
  const tokens = view.all('token');
  if (tokens.length < MAX_TOKENS) return;
  const dead = tokens.filter((token) => token.revoked || isUsedUp(token) || hasExpired(token, context));
  if (dead.length === 0) throw limitReached('join tokens', MAX_TOKENS);
  for (const token of dead) view.remove('token', token.id);
}

/** expires_ms 0: never. */
function hasExpired(token: Token, context: ApplyContext): boolean {
  return token.expiresMs !== 0 && token.expiresMs <= context.timeMs;
}

function isUsedUp(token: Token): boolean {
  return !token.unlimited && token.usesLeft === 0;
}

/** Looks at every byte, so that the time it takes does not tell how many were right. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}
