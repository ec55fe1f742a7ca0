/** @module Asking metadata nodes: a client sticks to one that answers, and goes to the next by itself. */
import { relayAbort } from '../common/abort-relay.ts';
import { type Clock, sleep } from '../common/clock.ts';
import { type ErrorKind, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { call, type Method } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { closed, closedInFlight, noMetadata } from './errors.ts';
import { KnownMetadata } from './known-metadata.ts';
import { PeerPulse } from './peer-pulse.ts';
import { type KnownPeer, MAX_KNOWN_PEERS } from './profile.ts';

export interface MetadataPeersComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called after each answer with the attempts it took: more than one, and somebody known did not answer. */
  readonly answered?: (attempts: number) => void;
  /** Called when so many did not answer that perhaps none is where it was. */
  readonly unanswered?: () => void;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to go on trying, in milliseconds; DEFAULT_PATIENCE_MS when absent. */
  readonly patienceMs?: number | undefined;
  /** In place of patienceMs, for requests that share it: made by patience(). */
  readonly patience?: Patience | undefined;
  /** For requests that change something: told when an attempt ended so that it may have been done. */
  readonly onUnknown?: (() => void) | undefined;
  /** There is another way when a metadata node is too old for the method: NETWORK_NO_SUCH_METHOD is thrown at once. */
  readonly isOptional?: boolean | undefined;
}

/** When to give up, by the clock's monotonicMs(). */
export interface Patience {
  readonly untilMs: number;
  /** The same, once a metadata node has said that it has no quorum: however patient one is, that is to be told soon. */
  readonly withoutQuorumMs: number;
}

/**
 * Architecture: with a majority of the metadata nodes gone, a write is refused within ten seconds. The command needs
 * more than one of them to start and to end.
 */
export const DEFAULT_PATIENCE_MS = 8_000;
/** Once bytes have been sent it pays to wait until metadata nodes can be reached again, in milliseconds. */
export const PUT_PATIENCE_MS = 30_000;
/** Longer than an election takes; then another metadata node is asked. One that hangs is left sooner (peer-pulse.ts). */
const ATTEMPT_TIMEOUT_MS = 4_000;
/**
 * For a connection, where others can be asked: a node that has just been started again may take seconds, and no others would be left
 * to ask. It goes on being dialled meanwhile.
 */
export const CONNECT_PATIENCE_MS = 1_000;
/**
 * With less left it is not asked again: an answer that comes a moment too late would make a change that was surely not done
 * one of which nobody knows.
 */
const SHORTEST_REPETITION_MS = 500;
const FIRST_BACKOFF_MS = 25;
const LONGEST_BACKOFF_MS = 500;

/** Metadata nodes that did not answer one question; fewer, where fewer are known. */
const ENOUGH_SILENT = 2;
/** How that looks. */
const SILENT: readonly string[] = [
  'NETWORK_UNREACHABLE',
  'NETWORK_TIMEOUT',
  'NETWORK_DISCONNECTED',
  'CLIENT_PEER_SILENT',
];

const NO_QUORUM = 'METADATA_NO_QUORUM';
/** Answers that say "not here" rather than "no": another metadata node may well do it. */
const ELSEWHERE = ['NETWORK_NO_SUCH_METHOD'];
/** Said, of a read, by a node whose disk has rotted and which stops: the others have the rows, too. */
const DAMAGED = 'STORAGE_CORRUPT_ROWS';
/**
 * Said after a look at the latest state, but of older releases also by a node far behind the others, of whoever joined meanwhile:
 * final when more than half of the metadata nodes say so, whether or not the rest are there.
 */
const STRANGER = 'NETWORK_NOT_A_MEMBER';

export class MetadataPeers {
  readonly #components: MetadataPeersComponents;
  readonly #closing = new AbortController();
  readonly #pulse: PeerPulse;
  readonly #known: KnownMetadata;

  constructor(components: MetadataPeersComponents, peers: readonly KnownPeer[]) {
    this.#components = components;
    this.#pulse = new PeerPulse(components);
    const first = peers.length === 0 ? 0 : components.random.int(Math.min(peers.length, MAX_KNOWN_PEERS));
    this.#known = new KnownMetadata(components, peers, first);
  }

  get known(): readonly KnownPeer[] {
    return this.#known.peers;
  }

  /** The metadata node that answered last. */
  get current(): PeerId | undefined {
    return this.#known.current;
  }

  /**
   * Goes to `leader` from now on, unless it failed lately or is not known: whoever changes things saves a hop, and whoever
   * only reads never hears of it, so that readers stay spread over all.
   */
  prefer(leader: PeerId): void {
    this.#known.prefer(leader);
  }

  /** Takes these as the metadata nodes there are now; says whether that changed anything. None at all is no news. */
  replace(peers: readonly KnownPeer[]): boolean {
    return this.#known.replace(peers);
  }

  /**
   * Asks until somebody answers or refuses. Only for reads and for requests that may be repeated (same session and
   * sequence). Errors: what was refused, unchanged; what the last metadata node to answer could not do (say
   * METADATA_NO_QUORUM), or CLIENT_NO_METADATA when none answered; CLIENT_CLOSED; with `onUnknown` also
   * CLIENT_OUTCOME_UNKNOWN.
   */
  async ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: AskOptions = {},
  ): Promise<Response> {
    this.#closing.signal.throwIfAborted();
    const { signal: given } = options;
    const ending = given === undefined ? this.#closing : new AbortController();
    const releases =
      given === undefined ? [] : [relayAbort(this.#closing.signal, ending), relayAbort(given, ending)];
    try {
      return await this.#askInTurn(method, request, { ...options, signal: ending.signal });
    } catch (error) {
      const hasEffect = options.onUnknown !== undefined;
      throw hasEffect && isHoldfastError(error, 'CLIENT_CLOSED') ? closedInFlight(method.name) : error;
    } finally {
      for (const release of releases) release();
    }
  }

  /** Of what begins now, for AskOptions.patience. */
  patience(patienceMs: number = DEFAULT_PATIENCE_MS): Patience {
    const nowMs = this.#components.clock.monotonicMs();
    return {
      untilMs: nowMs + patienceMs,
      withoutQuorumMs: nowMs + Math.min(patienceMs, DEFAULT_PATIENCE_MS),
    };
  }

  /** Ends every call in flight with CLIENT_CLOSED: of a change that was under way nobody knows whether it was done. */
  close(): void {
    this.#closing.abort(closed());
  }

  async #askInTurn<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: AskOptions & { readonly signal: AbortSignal },
  ): Promise<Response> {
    const { clock } = this.#components;
    const { signal } = options;
    const patience = options.patience ?? this.patience(options.patienceMs);
    let deadline = patience.untilMs;
    const isRead = options.onUnknown === undefined;
    const tried = new Set<string>();
    const deniedBy = new Set<string>();
    const silent = new Set<string>();
    let kind: ErrorKind = 'unavailable';
    let last: unknown = 'none is known';
    for (let attempt = 0; ; attempt += 1) {
      const peer = this.#known.current;
      const remaining = deadline - clock.monotonicMs();
      if (peer === undefined || remaining <= (attempt === 0 ? 0 : SHORTEST_REPETITION_MS)) break;
      try {
        const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, remaining);
        const connectTimeoutMs = this.known.length > 1 ? CONNECT_PATIENCE_MS : timeoutMs;
        const limits = { signal, timeoutMs, connectTimeoutMs };
        const asked = call(this.#components.network, peer, method, request, limits);
        const answer = await this.#pulse.attend(peer, asked);
        this.#components.answered?.(attempt + 1);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (options.isOptional === true && isHoldfastError(error, ...ELSEWHERE)) throw error;
        tried.add(peer);
        if (isHoldfastError(error, STRANGER)) deniedBy.add(peer);
        else if (!mayRetry(error) && !(isRead && isHoldfastError(error, DAMAGED))) throw error;
        // Not while an earlier attempt may have been done: this refusal knows nothing of that one.
        if (kind !== 'unknown' && this.#areMost(deniedBy)) throw error;
        if (options.onUnknown !== undefined && isHoldfastError(error) && error.kind === 'unknown') {
          kind = 'unknown';
          options.onUnknown();
        }
        if (isHoldfastError(error) && SILENT.includes(error.code)) silent.add(peer);
        if (silent.size >= Math.min(ENOUGH_SILENT, this.known.length)) this.#components.unanswered?.();
        if (isHoldfastError(error, NO_QUORUM)) deadline = Math.min(deadline, patience.withoutQuorumMs);
        last = preferTelling(last, error);
        this.#known.failed(peer);
      }
      const rounds = Math.floor(attempt / this.known.length);
      await this.#backOff(rounds, deadline, signal);
    }
    throw kind === 'unavailable' && isTelling(last) ? last : noMetadata(method.name, kind, [...tried], last);
  }

  #areMost(some: ReadonlySet<PeerId>): boolean {
    return this.known.filter(({ peer }) => some.has(peer)).length * 2 > this.known.length;
  }

  /** The first round over the peers goes fast; each further one waits longer, with jitter. */
  async #backOff(rounds: number, deadline: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#components;
    const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** rounds);
    const remaining = deadline - clock.monotonicMs();
    await sleep(clock, Math.max(0, Math.min(longest / 2 + random.int(longest), remaining)), signal);
  }
}

function mayRetry(error: unknown): boolean {
  if (!isHoldfastError(error)) return false;
  return error.kind === 'unavailable' || error.kind === 'unknown' || ELSEWHERE.includes(error.code);
}

/** A metadata node's own reason (no quorum, say) tells more than a silence that came after it. */
function preferTelling(before: unknown, now: unknown): unknown {
  return isTelling(before) && !isTelling(now) ? before : now;
}

/** Said by a metadata node, and sure that nothing happened. */
function isTelling(error: unknown): boolean {
  return isHoldfastError(error) && error.kind === 'unavailable' && !error.code.startsWith('NETWORK_');
}
