/**
 * @module Yamux with a pulse: a peer that is silent for too long (power loss, cut cable) is disconnected. What is sent is a frame of the
 * muxer; libp2p's own connection monitor opens a stream for each ping, and that was most of what idle nodes did.
 */
import { yamux } from '@chainsafe/libp2p-yamux';
import type { AbortOptions, MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { MIB } from '../common/bytes.ts';

/**
 * Part of the protocol: both sides count on the initial window. The maximum is libp2p's limit on what it keeps for a paused
 * stream; 4 MiB fill 40 MB/s at 100 ms.
 */
const STREAM_WINDOW = { initialStreamWindowSize: 1 * MIB, maxStreamWindowSize: 4 * MIB } as const;

export interface PulseOptions {
  readonly intervalMs: number;
  /** A peer that has not answered by then is gone. */
  readonly timeoutMs: number;
}

export const PULSE: PulseOptions = { intervalMs: 5_000, timeoutMs: 10_000 };

/** A muxer that can ask its peer for a sign of life, as yamux can. */
export interface PingingMuxer extends Pick<StreamMuxer, 'status'> {
  /** Resolves with the milliseconds until the answer; at once with those of one that is under way. */
  ping(options: AbortOptions): Promise<number>;
  abort(error: Error): void;
}

/** For Libp2pOptions.streamMuxers. */
export function pulsedMuxer(): () => StreamMuxerFactory {
  const make = yamux({ enableKeepAlive: false, streamOptions: STREAM_WINDOW });
  return () => {
    const factory = make();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection);
      keepPulse(muxer, connection, PULSE);
      return muxer;
    };
    return factory;
  };
}

/** Aborts `muxer` and the connection below it when the peer is silent; ends when that connection closes. */
export function keepPulse(
  muxer: PingingMuxer,
  connection: Pick<MessageStream, 'abort' | 'addEventListener'>,
  { intervalMs, timeoutMs }: PulseOptions,
): void {
  const beat = async (): Promise<void> => {
    if (muxer.status !== 'open') return;
    try {
      await muxer.ping({ signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      // It was closed meanwhile, or that is what to do now.
      const error = cause instanceof Error ? cause : new Error(String(cause));
      muxer.abort(error);
      connection.abort(error);
    }
  };
  const timer = setInterval(() => void beat(), intervalMs).unref();
  connection.addEventListener('close', () => clearInterval(timer), { once: true });
}
