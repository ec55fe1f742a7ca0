/**
 * @module "Can you dial me?", asked of a metadata node, which tries. What AutoNAT does, but among members: libp2p's wants the word of
 * four peers of different networks and looks at public addresses only, so that a small cluster would never hear a verdict.
 */
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { fromUtf8, KIB, utf8 } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { dialRace, MAX_RACE_ADDRESSES } from './dial-race.ts';
import { brokenFrame, describeDialFailure, disconnected, unreachable } from './errors.ts';
import { FrameKind } from './frame.ts';
import type { PeerId } from './network.ts';
import { isListening } from './port-probe.ts';
import { socketAddressOf } from './relay-address.ts';
import type { FrameStream } from './transport.ts';

const ASK_TIMEOUT_MS = 5_000;
const TRY_TIMEOUT_MS = 3_000;
/** Attempts under way for others. */
const MAX_ATTEMPTS = 32;
/** A few addresses, as text. */
const MAX_QUESTION_BYTES: number = 16 * KIB;
const NO_BYTES = new Uint8Array(0);
const YES = Uint8Array.of(1);
const NO = Uint8Array.of(0);

export interface DialBackComponents {
  /** Dials one address, which ends in /p2p/<peer>; fails when somebody else answers there. */
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>;
  /** Whether we dialled `peer` before, and it answered. */
  readonly hasDialled: (peer: PeerId) => boolean;
  readonly logger: Logger;
}

export class DialBack {
  readonly #components: DialBackComponents;
  #attempts = 0;

  constructor(components: DialBackComponents) {
    this.#components = components;
  }

  /** Whether the peer at the other end of `stream` reaches us at one of `addresses`. Throws when it does not say. */
  async ask(peer: PeerId, stream: FrameStream, addresses: readonly Multiaddr[]): Promise<boolean> {
    const end = (): void => stream.abort(disconnected(peer, 'the question for a dial back'));
    const timer = setTimeout(end, ASK_TIMEOUT_MS);
    try {
      const texts = addresses
        .slice(0, MAX_RACE_ADDRESSES)
        .map((address) => address.decapsulate('/p2p').toString());
      const answer = await new Promise<Uint8Array>((resolve, reject) => {
        stream.listen({
          frame: (kind, _id, _argument, body) =>
            kind === FrameKind.response
              ? resolve(body)
              : reject(brokenFrame(`kind ${kind} in place of an answer`)),
          closed: reject,
        });
        stream.send(FrameKind.request, 0, 0, NO_BYTES, utf8(JSON.stringify(texts)));
      });
      return answer[0] === YES[0];
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  /** Answers a peer that asks; it has to be a member, as it says whom to dial. */
  serve(peer: PeerId, stream: FrameStream): void {
    stream.limitBody(MAX_QUESTION_BYTES);
    stream.listen({
      frame: (kind, _id, _argument, body) => {
        if (kind === FrameKind.request) void this.#answer(peer, stream, body);
        else stream.abort(brokenFrame(`kind ${kind} in place of a question`));
      },
      closed: () => undefined,
    });
  }

  async #answer(peer: PeerId, stream: FrameStream, body: Uint8Array): Promise<void> {
    try {
      const isReachable = this.#components.hasDialled(peer) || (await this.#reaches(peer, decode(body)));
      stream.send(FrameKind.response, 0, 0, NO_BYTES, isReachable ? YES : NO);
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  /**
   * Throws NETWORK_UNREACHABLE when that cannot be told: a peer that is too busy to prove who it is in time is no peer behind a router,
   * and if it took itself for one, everybody would come over relays, and make all of them busier.
   */
  async #reaches(peer: PeerId, addresses: readonly string[]): Promise<boolean> {
    if (this.#attempts >= MAX_ATTEMPTS) throw brokenFrame('too many questions at once');
    this.#attempts += 1;
    const late = AbortSignal.timeout(TRY_TIMEOUT_MS);
    const targets = addresses.map((address) => multiaddr(`${address}/p2p/${peer}`));
    const silent = new Set(targets);
    // Beside the dials: who cannot be reached waits for the answer, and is of no use to anybody until then.
    const probes = new Map(targets.map((target) => [target, isListeningAt(target, late)]));
    const dial = async (target: Multiaddr, signal: AbortSignal): Promise<Connection> => {
      try {
        return await this.#components.dial(target, signal);
      } catch (error) {
        if (!late.aborted) silent.delete(target);
        throw error;
      }
    };
    try {
      await dialRace(targets, dial, late);
      return true;
    } catch (error) {
      const reason = describeDialFailure(error);
      this.#components.logger.debug('network.not-dialled-back', { peer, cause: reason });
      const listening = await Promise.all([...silent].map((target) => probes.get(target)));
      if (late.aborted && listening.includes(true))
        throw unreachable(peer, 'somebody listens there, and did not say who in time', error);
      return false;
    } finally {
      this.#attempts -= 1;
    }
  }
}

async function isListeningAt(target: Multiaddr, signal: AbortSignal): Promise<boolean> {
  const address = socketAddressOf(target);
  return address !== undefined && (await isListening(address, signal));
}

/** NETWORK_BROKEN_FRAME. */
function decode(body: Uint8Array): string[] {
  try {
    const texts: unknown = JSON.parse(fromUtf8(body));
    if (!Array.isArray(texts)) throw new TypeError('there is no list');
    return texts.slice(0, MAX_RACE_ADDRESSES).map((text) => {
      const address = multiaddr(String(text));
      if (socketAddressOf(address) === undefined)
        throw new TypeError(`${address.toString()} is not the address of a socket`);
      return address.toString();
    });
  } catch (error) {
    throw brokenFrame(`${describeError(error)} in place of addresses`);
  }
}
