/** @module Notices a metadata node that hangs without its connection breaking: silent while something waits for it. */
import type { Clock, Timer } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { MEMBERS } from '../protocol/methods.ts';
import { peerSilent } from './errors.ts';

export interface PeerPulseComponents {
  readonly network: Network;
  readonly clock: Clock;
}

/** After so long without any answer from a node that owes one, it is asked for a sign of life, in milliseconds. */
export const SILENCE_MS = 300;
/** How long it may take for that: much longer than a healthy node, leader or not, needs for what it has in memory. */
export const SIGN_LIMIT_MS = 500;
/** As long as an attempt may take: when one node after the other is silent it is the machine, or the way to them, that is slow. */
export const LONGEST_SIGN_LIMIT_MS = 4_000;
const LOOK_MS = 100;
const NO_ANSWER: readonly string[] = [
  'NETWORK_TIMEOUT',
  'NETWORK_UNREACHABLE',
  'NETWORK_DISCONNECTED',
  'NETWORK_ABORTED',
];

interface Pulse {
  readonly waits: Set<(error: Error) => void>;
  heardMs: number;
  isAsked: boolean;
}

/**
 * A node that waits for a majority is slow, but gives the sign, and its own reason in the end; one that is stopped, or whose
 * machine is gone without a word, does not, and what waits for it is given up long before its time is over. With each node that is
 * silent the next one is given twice the time, until one answers: whoever flees from all of them is answered by none.
 */
export class PeerPulse {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #pulses = new Map<PeerId, Pulse>();
  #timer: Timer | undefined;
  #signLimitMs = SIGN_LIMIT_MS;

  constructor(components: PeerPulseComponents) {
    this.#network = components.network;
    this.#clock = components.clock;
  }

  /** Settles as `answer` does, which `peer` was asked for just now, or rejects with CLIENT_PEER_SILENT (unknown). */
  attend<T>(peer: PeerId, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pulse = this.#pulseOf(peer);
      pulse.waits.add(reject);
      answer.then(
        (value) => {
          this.#ended(pulse, reject, true);
          resolve(value);
        },
        (error: unknown) => {
          this.#ended(pulse, reject, isAnswer(error));
          reject(error);
        },
      );
    });
  }

  #pulseOf(peer: PeerId): Pulse {
    let pulse = this.#pulses.get(peer);
    if (pulse === undefined) {
      pulse = { waits: new Set(), heardMs: this.#clock.monotonicMs(), isAsked: false };
      this.#pulses.set(peer, pulse);
    } else if (pulse.waits.size === 0) pulse.heardMs = this.#clock.monotonicMs();
    this.#timer ??= this.#clock.every(LOOK_MS, () => this.#look());
    return pulse;
  }

  #ended(pulse: Pulse, wait: (error: Error) => void, heard: boolean): void {
    pulse.waits.delete(wait);
    if (heard) this.#heard(pulse);
  }

  #heard(pulse: Pulse): void {
    pulse.heardMs = this.#clock.monotonicMs();
    this.#signLimitMs = SIGN_LIMIT_MS;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [peer, pulse] of this.#pulses) {
      if (pulse.waits.size === 0) this.#pulses.delete(peer);
      else if (!pulse.isAsked && nowMs - pulse.heardMs >= SILENCE_MS) void this.#askForSign(peer, pulse);
    }
    if (this.#pulses.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Never rejects. */
  async #askForSign(peer: PeerId, pulse: Pulse): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const limitMs = this.#signLimitMs;
    pulse.isAsked = true;
    try {
      await call(this.#network, peer, MEMBERS, { stale: true }, { timeoutMs: limitMs });
      this.#heard(pulse);
    } catch (error) {
      if (isAnswer(error)) this.#heard(pulse);
      // Of a connection that broke, those who wait hear by themselves.
      else if (isHoldfastError(error, 'NETWORK_TIMEOUT') && pulse.heardMs <= askedMs) {
        this.#signLimitMs = Math.min(LONGEST_SIGN_LIMIT_MS, 2 * limitMs);
        for (const giveUp of pulse.waits) giveUp(peerSilent(peer, SILENCE_MS + limitMs));
        pulse.waits.clear();
      }
    } finally {
      pulse.isAsked = false;
    }
  }
}

/** Whether the node said no, rather than nothing. */
function isAnswer(error: unknown): boolean {
  return isHoldfastError(error) && !NO_ANSWER.includes(error.code);
}
