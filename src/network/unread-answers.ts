/** @module Peers that ask on and take none of their answers: so much is kept for them, and then their stream ends. */
import { MIB } from '../common/bytes.ts';
import { brokenFrame, overloaded } from './errors.ts';
import type { PeerId } from './network.ts';
import type { FrameStream } from './transport.ts';

/** Of answers on their way to a stranger, in bytes: more than refusals of all that a peer may say before it hears the first one. */
const MAX_STRANGER_BYTES: number = 2 * MIB;
/** As many requests as a peer may have unanswered: one that keeps to that has read some of these before it asks again. */
const MAX_REFUSALS = 16_384;

export class UnreadAnswers {
  readonly #stream: Pick<FrameStream, 'queuedBytes' | 'overfull'>;
  readonly #peer: PeerId;
  /** In a row, since the queue was full. */
  #refusals = 0;

  constructor(stream: Pick<FrameStream, 'queuedBytes' | 'overfull'>, options: { readonly peer: PeerId }) {
    this.#stream = stream;
    this.#peer = options.peer;
  }

  /** Before a frame of a stranger is looked at. NETWORK_OVERLOADED. */
  checkStranger(): void {
    if (this.#stream.queuedBytes > MAX_STRANGER_BYTES) throw overloaded(this.#peer, 'queue of answers');
  }

  /** Before something that a member asks is refused: what it is told is small, but so is the question. NETWORK_BROKEN_FRAME. */
  countRefusal(): void {
    this.#refusals = this.#stream.overfull ? this.#refusals + 1 : 0;
    if (this.#refusals > MAX_REFUSALS) throw brokenFrame('requests beyond all limits, and no answer is read');
  }
}
