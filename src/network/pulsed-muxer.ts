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
  /** How long to wait before the next question, as of now. */
  readonly intervalMs: () => number;
  /** A peer that has not answered by then is gone. */
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 10_000;
/** A time-out that comes this much too late: the process stood still, in milliseconds. */
const STANDSTILL_MS = 1_000;
const SHORTEST_INTERVAL_MS = 5_000;
/** libp2p ends a connection on which nothing was sent for two minutes. */
const LONGEST_INTERVAL_MS = 60_000;
/** Of one node to all its peers. */
const PULSES_PER_SECOND = 2;

/**
 * A node of a large cluster knows many others, most of whom it says nothing to: each is asked less often then, so that a cluster
 * at rest does not do the more the square of its nodes is. Who has something to say to a peer notices its silence by that.
 */
export function pulseIntervalMs(connections: number): number {
  const sparedMs = (connections * 1_000) / PULSES_PER_SECOND;
  return Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, sparedMs));
}

/** A muxer that can ask its peer for a sign of life, as yamux can. */
export interface PingingMuxer extends Pick<StreamMuxer, 'status'> {
  /** Resolves with the milliseconds until the answer; at once with those of one that is under way. */
  ping(options: AbortOptions): Promise<number>;
  abort(error: Error): void;
}

/** For Libp2pOptions.streamMuxers. */
export function pulsedMuxer(): () => StreamMuxerFactory {
  const make = yamux({ enableKeepAlive: false, streamOptions: STREAM_WINDOW });
  let connections = 0;
  const pulse: PulseOptions = { intervalMs: () => pulseIntervalMs(connections), timeoutMs: TIMEOUT_MS };
  return () => {
    const factory = make();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection);
      connections++;
      connection.addEventListener('close', () => connections--, { once: true });
      keepPulse(muxer, connection, pulse);
      return muxer;
    };
    return factory;
  };
}

/**
 * Aborts `muxer` and the connection below it when the peer is silent, and not because this process stood still; ends when that
 * connection closes.
 */
export function keepPulse(
  muxer: PingingMuxer,
  connection: Pick<MessageStream, 'abort' | 'addEventListener'>,
  { intervalMs, timeoutMs }: PulseOptions,
): void {
  let timer: NodeJS.Timeout;
  const rest = (): void => {
    timer = setTimeout(() => void beat(), intervalMs()).unref();
  };
  const beat = async (): Promise<void> => {
    rest();
    if (muxer.status !== 'open') return;
    const askedMs = performance.now();
    try {
      await muxer.ping({ signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      // The answer may be here, not yet read. On a full machine everybody would dial everybody again, and fill it the more.
      if (performance.now() - askedMs > timeoutMs + STANDSTILL_MS) return;
      // It was closed meanwhile, or that is what to do now.
      const error = cause instanceof Error ? cause : new Error(String(cause));
      muxer.abort(error);
      connection.abort(error);
    }
  };
  rest();
  connection.addEventListener('close', () => clearTimeout(timer), { once: true });
}
