/**
 * @module Two peers that reach each other over a relay agree on a better way: each says under which addresses it can perhaps be
 * dialled, and where its router maps a port to that it will punch from. Then both dial at once, and the first connection wins. What
 * comes of it is direct (we dialled), reversed (the peer did) or punched (both did). The exchange is DCUtR's; libp2p's own cannot
 * punch TCP, as it does not know from which port it is seen.
 */
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { fromUtf8, KIB, utf8 } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { dialRace, MAX_RACE_ADDRESSES } from './dial-race.ts';
import { brokenFrame, describeDialFailure, disconnected, overloaded } from './errors.ts';
import { FrameKind } from './frame.ts';
import { freePort } from './hole-punch.ts';
import type { PeerId } from './network.ts';
import type { PunchingDial } from './punching-dial.ts';
import { socketAddressOf } from './relay-address.ts';
import type { FrameStream } from './transport.ts';

/** From the exchange to a connection. */
const MEETING_TIMEOUT_MS = 4_000;
/** To learn where the router maps a port to. */
const OBSERVE_TIMEOUT_MS = 1_000;
/** Under way because others proposed them. */
const MAX_MEETINGS = 128;
/** A few addresses, as text. */
export const MAX_WHEREABOUTS_BYTES: number = 16 * KIB;
const NO_BYTES = new Uint8Array(0);

/** What one side tells the other. */
interface Whereabouts {
  /** Multiaddrs without a peer id, at most MAX_RACE_ADDRESSES. */
  readonly addresses: readonly string[];
  /** Multiaddr of a port that will dial at once, as seen from outside; absent where nobody could say. */
  readonly punch?: string;
}

export interface MeetingComponents {
  /** Dials one address, which ends in /p2p/<peer>. */
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>;
  readonly punch: PunchingDial;
  /** Resolves with a connection to `peer` without a relay, as soon as there is one. */
  readonly arrival: (peer: PeerId, signal: AbortSignal) => Promise<Connection>;
  /** Where we can perhaps be dialled, without a relay. */
  readonly addresses: () => readonly Multiaddr[];
  /** As what a node outside sees `localPort` of this machine. */
  readonly observe: (localPort: number, signal: AbortSignal) => Promise<Multiaddr>;
  readonly logger: Logger;
}

export class Meeting {
  readonly #components: MeetingComponents;
  #meetings = 0;

  constructor(components: MeetingComponents) {
    this.#components = components;
  }

  /** Proposes it to `peer` over `stream`. Throws when no connection came of it. */
  async open(peer: PeerId, stream: FrameStream, signal: AbortSignal): Promise<Connection> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(MEETING_TIMEOUT_MS)]);
    const end = (): void => stream.abort(disconnected(peer, 'the agreement on a direct connection'));
    limited.addEventListener('abort', end, { once: true });
    try {
      const port = await freePort();
      const ours = await this.#whereabouts(port, limited);
      const theirs = decode(await ask(stream, encode(ours)));
      return await this.#connect(peer, theirs, ours, { localPort: port, initiator: true, signal: limited });
    } finally {
      limited.removeEventListener('abort', end);
      end();
    }
  }

  /** Answers a peer that proposes it, once; it has to be a member, as it says what to dial. */
  serve(peer: PeerId, stream: FrameStream): void {
    let isAsked = false;
    stream.limitBody(MAX_WHEREABOUTS_BYTES);
    stream.listen({
      frame: (kind, _id, _argument, body) => {
        if (kind !== FrameKind.request || isAsked)
          return stream.abort(brokenFrame(`kind ${kind} in place of one request to meet`));
        isAsked = true;
        if (this.#meetings >= MAX_MEETINGS) stream.abort(overloaded(peer, 'set of meetings'));
        else void this.#join(peer, stream, body);
      },
      closed: () => undefined,
    });
  }

  async #join(peer: PeerId, stream: FrameStream, body: Uint8Array): Promise<void> {
    this.#meetings += 1;
    try {
      const signal = AbortSignal.timeout(MEETING_TIMEOUT_MS);
      const theirs = decode(body);
      const port = await freePort();
      const ours = await this.#whereabouts(port, signal);
      stream.send(FrameKind.response, 0, 0, NO_BYTES, encode(ours));
      await this.#connect(peer, theirs, ours, { localPort: port, initiator: false, signal });
    } catch (error) {
      this.#components.logger.debug('network.meeting-failed', { peer, cause: describeDialFailure(error) });
      stream.abort(error as Error);
    } finally {
      this.#meetings -= 1;
    }
  }

  async #whereabouts(localPort: number, signal: AbortSignal): Promise<Whereabouts> {
    const { addresses, observe, logger } = this.#components;
    const reachable = addresses().slice(0, MAX_RACE_ADDRESSES).map(withoutPeer);
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(OBSERVE_TIMEOUT_MS)]);
      return { addresses: reachable, punch: (await observe(localPort, limited)).toString() };
    } catch (error) {
      // Still worth a meeting: one of the two may be able to dial the other.
      logger.debug('network.not-observed', { cause: describeDialFailure(error) });
      return { addresses: reachable };
    }
  }

  /** All ways at once; the first that leads to the peer ends the others. */
  async #connect(
    peer: PeerId,
    theirs: Whereabouts,
    ours: Whereabouts,
    options: { readonly localPort: number; readonly initiator: boolean; readonly signal: AbortSignal },
  ): Promise<Connection> {
    const { dial, punch, arrival } = this.#components;
    const isOver = new AbortController();
    const signal = AbortSignal.any([options.signal, isOver.signal]);
    const target = (text: string): Multiaddr => multiaddr(`${text}/p2p/${peer}`);
    // An address that both have is that of a private network, and means ourselves.
    const foreign = theirs.addresses.filter((address) => !ours.addresses.includes(address));
    const ways = [arrival(peer, signal)];
    if (foreign.length > 0) ways.push(dialRace(foreign.map(target), dial, signal));
    if (theirs.punch !== undefined && ours.punch !== undefined)
      ways.push(punch(target(theirs.punch), { ...options, signal }));
    try {
      return await Promise.any(ways);
    } finally {
      isOver.abort();
      await Promise.allSettled(ways);
    }
  }
}

function ask(stream: FrameStream, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    stream.listen({
      frame: (kind, _id, _argument, body) =>
        kind === FrameKind.response
          ? resolve(body)
          : reject(brokenFrame(`kind ${kind} in place of an answer`)),
      closed: reject,
    });
    stream.send(FrameKind.request, 0, 0, NO_BYTES, request);
  });
}

function encode(whereabouts: Whereabouts): Uint8Array {
  return utf8(JSON.stringify(whereabouts));
}

/** NETWORK_BROKEN_FRAME. Only what a plain socket can dial is taken. */
function decode(bytes: Uint8Array): Whereabouts {
  try {
    const { addresses, punch } = Object(JSON.parse(fromUtf8(bytes))) as Record<string, unknown>;
    if (!Array.isArray(addresses)) throw new TypeError('there is no list of addresses');
    const dialable = addresses.slice(0, MAX_RACE_ADDRESSES).map(dialableText);
    return punch === undefined
      ? { addresses: dialable }
      : { addresses: dialable, punch: dialableText(punch) };
  } catch (error) {
    throw brokenFrame(`${describeError(error)} in place of addresses to meet at`);
  }
}

function dialableText(value: unknown): string {
  const address = multiaddr(String(value));
  if (socketAddressOf(address) === undefined || address.getComponents().some(({ name }) => name === 'p2p'))
    throw new TypeError(`${address.toString()} is not the address of a socket`);
  return address.toString();
}

function withoutPeer(address: Multiaddr): string {
  return address.decapsulate('/p2p').toString();
}
