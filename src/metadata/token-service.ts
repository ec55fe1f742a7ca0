/** @module Makes, lists and revokes join tokens. The secret leaves this process once, in the token's text. */
import { toHex } from '../common/bytes.ts';
import { isHoldfastError } from '../common/errors.ts';
import { sha256 } from '../common/hashing.ts';
import type { Random } from '../common/random.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { CreateTokenRequest, CreateTokenResponse } from '../protocol/messages.ts';
import { CREATE_TOKEN, LIST_TOKENS, REVOKE_TOKEN } from '../protocol/methods.ts';
import { briefAddresses, encodeToken } from '../protocol/token.ts';
import { badRequest, noSuchToken, notAllowed, notReady } from './errors.ts';
import type { LogClock } from './log-clock.ts';
import { type MemberDirectory, type Role, hasRole } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface TokenServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly proposer: Proposer;
  readonly barrier: ReadBarrier;
  /** What the end of a token is compared with is the time of the log. */
  readonly logClock: LogClock;
  readonly random: Random;
}

const TOKEN_ID_BYTES = 8;
const TOKEN_SECRET_BYTES = 24;
/** Addresses in a token, at most: it is copied by hand. */
const MAX_TOKEN_ADDRESSES = 16;
const DEFAULT_TOKEN_LIFETIME_MS: number = 24 * 60 * 60 * 1000;
const MAX_TOKEN_LIFETIME_MS: number = 10 * 365 * DEFAULT_TOKEN_LIFETIME_MS;
const MAX_TOKEN_USES = 1_000_000;
const ROLES: ReadonlySet<string> = new Set(['meta', 'data', 'client'] satisfies Role[]);

export class TokenService {
  readonly #components: TokenServiceComponents;

  constructor(components: TokenServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, machine, proposer, barrier } = this.#components;
    serve(network, CREATE_TOKEN, async (request, { peer, signal }) => {
      this.#checkCaller(peer);
      return this.#create(request, signal);
    });
    serve(network, LIST_TOKENS, async (_, { peer, signal }) => {
      this.#checkCaller(peer);
      await barrier.wait(signal);
      return { tokens: [...(await machine.tokens())] };
    });
    serve(network, REVOKE_TOKEN, async ({ id }, { peer, signal }) => {
      this.#checkCaller(peer);
      try {
        await proposer.submitInternal({ $case: 'revokeToken', value: { id } }, signal);
      } catch (error) {
        throw isHoldfastError(error, 'NAMESPACE_TOKEN_INVALID') ? noSuchToken(id) : error;
      }
      return {};
    });
  }

  async #create(request: CreateTokenRequest, signal: AbortSignal): Promise<CreateTokenResponse> {
    const { machine, proposer, logClock, random } = this.#components;
    checkRoles(request.roles);
    if (!request.unlimited && (request.uses < 1 || request.uses > MAX_TOKEN_USES))
      throw badRequest(`a token is for 1 to ${MAX_TOKEN_USES} uses, or unlimited`, { uses: request.uses });
    if (request.lifetimeMs > MAX_TOKEN_LIFETIME_MS)
      throw badRequest('a token lives at most ten years', { lifetimeMs: request.lifetimeMs });
    const cluster = machine.cluster();
    if (cluster === undefined) throw notReady();

    const secret = random.bytes(TOKEN_SECRET_BYTES);
    const nowMs = logClock.nowMs();
    const record = {
      id: toHex(random.bytes(TOKEN_ID_BYTES)),
      secretHash: sha256(secret),
      roles: request.roles,
      usesLeft: request.unlimited ? 0 : request.uses,
      unlimited: request.unlimited,
      createdMs: nowMs,
      expiresMs: nowMs + (request.lifetimeMs === 0 ? DEFAULT_TOKEN_LIFETIME_MS : request.lifetimeMs),
      revoked: false,
      usedBy: [],
    };
    await proposer.submitInternal({ $case: 'createToken', value: { token: record } }, signal);
    const addresses = this.#addresses();
    return { token: encodeToken({ clusterId: cluster.id, tokenId: record.id, secret, addresses }), record };
  }

  /** This node first: it surely answers. Then one round of each other metadata node's addresses. */
  #addresses(): string[] {
    const { members, network } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    const all = [network.addresses(), ...others.map(({ addresses }) => addresses)].flatMap(briefAddresses);
    return [...new Set(all)].slice(0, MAX_TOKEN_ADDRESSES);
  }

  #checkCaller(peer: PeerId): void {
    if (!hasRole(this.#components.members.activeByPeer(peer), 'client', 'meta'))
      throw notAllowed('only clients and metadata nodes may handle tokens', { peer });
  }
}

/** Throws METADATA_BAD_REQUEST unless `roles` is a non-empty set of meta, data, client. */
export function checkRoles(roles: readonly string[]): void {
  const known = roles.every((role) => ROLES.has(role));
  if (roles.length === 0 || !known || new Set(roles).size < roles.length)
    throw badRequest('roles are some of meta, data and client', { roles });
}
