/** @module Lets a stranger with a token become a member. The state machine judges the token; this is the door to it. */
import { timingSafeEqual } from 'node:crypto';
import { encodeChain } from '../../dht/manifest-book.ts';
import type { Clock } from '../common/clock.ts';
import { sha256 } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { featureLevelTooLow, tokenExpired, tokenRevoked } from '../namespace/errors.ts';
import { FIRST_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { type CallContext, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { JoinRequest, JoinResponse } from '../protocol/messages.ts';
import { JOIN } from '../protocol/methods.ts';
import { badRequest, notAllowed, notReady } from './errors.ts';
import { joinRateLimited, wrongCluster } from './member-errors.ts';
import type { ManifestSigner } from './manifest-signer.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import { RateLimit } from './rate-limit.ts';
import { checkRoles } from './token-service.ts';

export interface JoinServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly proposer: Proposer;
  readonly signer: Pick<ManifestSigner, 'chainNow'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Strangers together may ask this often, and those who have a token as often beside them: the log is not flooded. */
const JOIN_RATE = { burst: 32, perSecond: 4 };
const MAX_ADDRESSES = 32;
const MAX_TEXT_CHARACTERS = 255;

export class JoinService {
  readonly #components: JoinServiceComponents;
  /** Of those who have a token. */
  readonly #joins: RateLimit;
  /** Of all others, who must not keep those out. */
  readonly #guesses: RateLimit;

  constructor(components: JoinServiceComponents) {
    this.#components = components;
    this.#joins = new RateLimit(components, JOIN_RATE);
    this.#guesses = new RateLimit(components, JOIN_RATE);
  }

  /**
   * Errors: METADATA_JOIN_RATE_LIMITED, METADATA_NOT_READY, METADATA_NO_QUORUM (unavailable); NAMESPACE_WRONG_CLUSTER,
   * NAMESPACE_TOKEN_INVALID, _EXPIRED, _REVOKED, _USED_UP, NAMESPACE_ROLE_NOT_ALLOWED, NAMESPACE_FEATURE_LEVEL_TOO_LOW, METADATA_BAD_REQUEST (refused).
   */
  start(): void {
    serve(this.#components.network, JOIN, (request, context) => this.#join(request, context));
  }

  async #join(request: JoinRequest, { peer, signal }: CallContext): Promise<JoinResponse> {
    const { machine, members, signer, logger } = this.#components;
    const tokenSecretHash = sha256(request.tokenSecret);
    const rate = this.#hasToken(request.tokenId, tokenSecretHash) ? this.#joins : this.#guesses;
    const retryMs = rate.take();
    if (retryMs > 0) throw joinRateLimited(retryMs);
    const cluster = machine.cluster();
    if (cluster === undefined) throw notReady();
    if (request.cluster !== cluster.id) throw wrongCluster(cluster.id, request.cluster);

    const applicant = checkApplicant(request.member);
    const supported = request.featureLevel ?? FIRST_FEATURE_LEVEL;
    if (applicant.roles.includes('meta') && supported < machine.featureLevel)
      throw featureLevelTooLow(supported, machine.featureLevel);
    // The member is whoever holds the key behind the connection, whatever the request says.
    if (applicant.peer !== peer)
      throw notAllowed('a peer may join only as itself', { peer, asked: applicant.peer });
    const client = request.client === undefined ? undefined : checkApplicant(request.client);
    if (client !== undefined && client.roles.join() !== 'client')
      throw badRequest('an identity enrolled beside a node can only be a client');

    const isMember = members.activeByPeer(peer) !== undefined;
    const member = await this.#add({ member: applicant, tokenId: request.tokenId, tokenSecretHash }, signal);
    if (client !== undefined && isMember && !hasRole(members.activeByPeer(client.peer), 'client'))
      this.#checkStillGood(request.tokenId);
    // The token has been judged above; the client beside the node does not use it up a second time.
    const enrolled =
      client === undefined
        ? undefined
        : await this.#add({ member: client, tokenId: '', tokenSecretHash: new Uint8Array(0) }, signal);
    logger.info('member.joined', { number: member.number, peer, roles: member.roles });
    // Members that are away know this node, or one that it was admitted by: its signature is to be had also when it leaves now.
    const manifests = member.roles.includes('meta') ? encodeChain(signer.chainNow()) : undefined;
    return { cluster, member, client: enrolled, metadataNodes: [...members.withRole('meta')], manifests };
  }

  /**
   * A member that asks again is answered whatever has become of the token that it came by, as its first answer may have been lost; but
   * nobody else comes in by a token that is over.
   */
  #checkStillGood(tokenId: string): void {
    const { machine, clock } = this.#components;
    const token = machine.tokens().find(({ id }) => id === tokenId);
    if (token?.revoked === true) throw tokenRevoked(tokenId);
    if (token !== undefined && token.expiresMs !== 0 && token.expiresMs <= clock.wallMs())
      throw tokenExpired(tokenId, token.expiresMs);
  }

  /** As far as is known here; the state machine judges it in full. */
  #hasToken(tokenId: string, secretHash: Uint8Array): boolean {
    const { machine, clock } = this.#components;
    const token = machine.tokens().find(({ id }) => id === tokenId);
    if (token === undefined || token.revoked) return false;
    const isOver = token.expiresMs !== 0 && token.expiresMs <= clock.wallMs();
    return !isOver && timingSafeEqual(token.secretHash, secretHash);
  }

  async #add(
    value: { member: Member; tokenId: string; tokenSecretHash: Uint8Array },
    signal: AbortSignal,
  ): Promise<Member> {
    const { proposer } = this.#components;
    const { result, index } = await proposer.submitInternal({ $case: 'addMember', value }, signal);
    // The newcomer talks to this node next, and must be known here.
    await proposer.settled(index, signal);
    if (result.kind?.$case !== 'member') throw badRequest('the member was not added');
    return result.kind.value;
  }
}

function checkApplicant(member: Member | undefined): Member {
  if (member === undefined || member.peer === '') throw badRequest('a join names the member to be');
  checkRoles(member.roles);
  if (member.addresses.length > MAX_ADDRESSES)
    throw badRequest(`a member has at most ${MAX_ADDRESSES} addresses`, { got: member.addresses.length });
  for (const text of [member.name, member.host, member.zone, ...member.addresses])
    if (text.length > MAX_TEXT_CHARACTERS)
      throw badRequest(`names and addresses have at most ${MAX_TEXT_CHARACTERS} characters`);
  return { ...member, number: 0 };
}
