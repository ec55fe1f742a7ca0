/** @module Whether what a peer sends on a stream that it opened is heard: its frames wait, in order, until it is known who may speak there. */
import type { Clock } from '../common/clock.ts';
import { describeError, type HoldfastError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { brokenFrame, notAMember } from './errors.ts';
import { type FrameKind, MAX_BODY_BYTES, MAX_STRANGER_BODY_BYTES } from './frame.ts';
import type { PeerId, TrafficClass } from './network.ts';
import type { FrameStream } from './transport.ts';

/** Frames that wait for the verdict: more than a peer may have unanswered. */
const MAX_HELD_FRAMES = 16_384;
/** A yes counts this long, so that a removed member is locked out soon; a no is asked again for each frame. */
const ADMISSION_MS = 5_000;

export interface FrameAdmissionComponents {
  readonly stream: Pick<FrameStream, 'pause' | 'resume' | 'limitBody' | 'abort'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the peer may speak here now; rejects as an Authorizer does. */
  readonly admits: () => boolean | Promise<boolean>;
}

export interface FrameAdmissionOptions {
  readonly peer: PeerId;
  readonly trafficClass: TrafficClass;
}

export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly argument: number;
  readonly body: Uint8Array;
}

/** Where frames go; either may throw when a frame breaks the protocol. */
export interface FrameDestination {
  serve(frame: Frame): void;
  /** Of a peer that may not speak, or of which that cannot be told now. */
  refuse(reason: HoldfastError, frame: Frame): void;
}

export class FrameAdmission {
  readonly #components: FrameAdmissionComponents;
  readonly #options: FrameAdmissionOptions;
  readonly #destination: FrameDestination;
  /** Frames that wait for the verdict, in order; the stream is paused meanwhile. */
  #held: Frame[] = [];
  #asking = false;
  #admittedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    components: FrameAdmissionComponents,
    options: FrameAdmissionOptions,
    destination: FrameDestination,
  ) {
    this.#components = components;
    this.#options = options;
    this.#destination = destination;
  }

  /** Asks for the first verdict. Until then the peer counts as a stranger, and the stream's bodies are to be limited so. */
  start(): void {
    this.#ask();
  }

  /** Passes the frame on, now or after the verdict. Throws what its destination throws, and NETWORK_BROKEN_FRAME when too many wait. */
  receive(frame: Frame): void {
    if (!this.#asking && this.#components.clock.monotonicMs() >= this.#admittedUntilMs) this.#ask();
    if (!this.#asking) return this.#destination.serve(frame);
    if (this.#held.length >= MAX_HELD_FRAMES) throw brokenFrame('more frames than may wait for a verdict');
    this.#held.push(frame);
  }

  /** The stream has ended: nobody waits for what is held. */
  end(): void {
    this.#held = [];
  }

  #ask(): void {
    const verdict = this.#components.admits();
    if (verdict === true) return this.#admit();
    this.#asking = true;
    this.#components.stream.pause();
    const { peer, trafficClass } = this.#options;
    Promise.resolve(verdict).then(
      (admitted) => this.#decide(admitted ? undefined : notAMember(peer, trafficClass)),
      (cause: unknown) => this.#decide(this.#undecided(cause)),
    );
  }

  /** Who cannot be told from a stranger now may be let in later: it hears why, and asks again. */
  #undecided(cause: unknown): HoldfastError {
    const { peer, trafficClass } = this.#options;
    if (isHoldfastError(cause) && cause.kind === 'unavailable') return cause;
    this.#components.logger.error('network.authorizer-failed', { peer, cause: describeError(cause) });
    return notAMember(peer, trafficClass);
  }

  #decide(refusal: HoldfastError | undefined): void {
    const { stream } = this.#components;
    this.#asking = false;
    if (refusal === undefined) this.#admit();
    else stream.limitBody(MAX_STRANGER_BODY_BYTES);
    const held = this.#held;
    this.#held = [];
    try {
      for (const frame of held) {
        if (refusal === undefined) this.#destination.serve(frame);
        else this.#destination.refuse(refusal, frame);
      }
    } catch (error) {
      // A frame that breaks the protocol: as where frames come one by one, it ends the stream, and nothing else.
      return stream.abort(error as Error);
    }
    stream.resume();
  }

  #admit(): void {
    this.#admittedUntilMs = this.#components.clock.monotonicMs() + ADMISSION_MS;
    // Everybody is let in to `join`, and remains a stranger.
    if (this.#options.trafficClass !== 'join') this.#components.stream.limitBody(MAX_BODY_BYTES);
  }
}
