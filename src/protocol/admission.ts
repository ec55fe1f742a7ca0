/** @module Asking to be admitted at the addresses of a token: of one metadata node after the other, and again while they may only be busy. */
import { type Clock, sleep } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { dialRace } from '../network/dial-race.ts';
import { describeDialFailure, isNobodyThere, unreachable } from '../network/errors.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { JoinRequest, JoinResponse } from './messages.ts';
import { JOIN } from './methods.ts';

/** For how long the question is repeated, in milliseconds since it was first put. A refusal is never questioned. */
export interface AdmissionPatience {
  /** While somebody may answer yet: the machine at the other end is slow, or the cluster chooses its leader. */
  readonly busyMs: number;
  /** Where nobody listens at any address: a node that is being restarted is back by then. */
  readonly nobodyMs: number;
}

export interface AdmissionWait {
  /** What the last one asked said, or what was in the way of asking. */
  readonly reason: string;
  readonly remainingMs: number;
}

export interface AdmissionOptions {
  readonly signal?: AbortSignal;
  /** ADMISSION_PATIENCE when absent. */
  readonly patience?: AdmissionPatience;
  /** Called before each further round. */
  readonly onWait?: (wait: AdmissionWait) => void;
}

const ADMISSION_PATIENCE: AdmissionPatience = { busyMs: 60_000, nobodyMs: 5_000 };
/** For one metadata node to answer: it may have to find its leader first. */
const ANSWER_TIMEOUT_MS = 15_000;
const ROUND_PAUSE_MS = 500;

/**
 * The answer is the same however often it is asked for: the cluster knows the applicant by its key. Throws what a metadata node
 * refuses (kind `refused`) at once, and when patience has an end the failure that says most.
 */
export async function askForAdmission(
  { network, clock }: { readonly network: Network; readonly clock: Clock },
  addresses: readonly string[],
  request: JoinRequest,
  options: AdmissionOptions = {},
): Promise<JoinResponse> {
  const { signal, patience = ADMISSION_PATIENCE, onWait } = options;
  const beganMs = clock.monotonicMs();
  for (;;) {
    const failures: unknown[] = [];
    for (const ask of questions(network, addresses))
      try {
        return await ask(request, { timeoutMs: ANSWER_TIMEOUT_MS, ...(signal && { signal }) });
      } catch (error) {
        signal?.throwIfAborted();
        if (isHoldfastError(error) && error.kind === 'refused') throw error;
        failures.push(error);
      }
    const limitMs = failures.every(isNobodyThere) ? patience.nobodyMs : patience.busyMs;
    const remainingMs = beganMs + limitMs - clock.monotonicMs();
    const telling = tellingOf(failures);
    if (remainingMs <= 0) throw telling;
    onWait?.({ reason: describeError(telling), remainingMs });
    await sleep(clock, Math.min(ROUND_PAUSE_MS, remainingMs), signal);
  }
}

type Question = (
  request: JoinRequest,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<JoinResponse>;

/** One for each peer, at whichever of its addresses answers first; an address that names no peer is one of its own. */
function questions(network: Network, addresses: readonly string[]): readonly Question[] {
  const byPeer = Map.groupBy(addresses, (address) => peerAtEnd(address) ?? address);
  return [...byPeer].map(([name, its]) => async (request, options) => {
    const peer = await dialAny(network, name, its, options.signal);
    return call(network, peer, JOIN, request, options);
  });
}

/** A call would dial, too, but not for as long: others wait for what it brings, and have somebody else to turn to. */
async function dialAny(
  network: Network,
  name: string,
  addresses: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<PeerId> {
  const dial = (address: string, given: AbortSignal): Promise<PeerId> =>
    network.dial(address, { timeoutMs: ANSWER_TIMEOUT_MS, signal: given });
  try {
    return await dialRace(addresses, dial, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(name, describeDialFailure(error), error);
  }
}

function peerAtEnd(address: string): PeerId | undefined {
  return /\/p2p\/(\w+)$/.exec(address)?.[1];
}

/** One that answered knows better than the network why it cannot be: no quorum, too many joins at once. */
function tellingOf(failures: readonly unknown[]): unknown {
  const answered = failures.findLast((error) => isHoldfastError(error) && !error.code.startsWith('NETWORK_'));
  return answered ?? failures.at(-1);
}
