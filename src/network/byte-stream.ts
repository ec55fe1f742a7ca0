/** @module What a stream of frames needs from below: ordered bytes in both directions, over libp2p or a socket of its own. */

export interface ByteStreamListener {
  /** The bytes are the listener's from now on. */
  readonly bytes: (chunk: Uint8Array) => void;
  /** After a send() that returned false: there is room again. */
  readonly drained: () => void;
  /** Neither side can send any more. May come more than once. */
  readonly closed: (cause: unknown) => void;
}

export interface ByteStream {
  /** Whether what send() took may be changed once it has returned: it was copied, or sealed. */
  readonly copies: boolean;
  /** What came before is kept for the first listener; there is one. */
  listen(listener: ByteStreamListener): void;
  /** Takes all pieces, in order; unless it copies they must not change afterwards. False: send no more until drained. Throws when closed. */
  send(pieces: readonly Uint8Array[]): boolean;
  /** Stops bytes from coming, after those already under way; they wait in bounded buffers. */
  pause(): void;
  resume(): void;
  /** Closes both directions now. */
  abort(cause: Error): void;
  /** Resolves when what was sent has left. Order: once no send() waits for drained. */
  close(signal: AbortSignal): Promise<void>;
}
