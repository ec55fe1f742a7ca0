/** @module The stream of a traffic class to a peer: a connection of its own where there can be one, else a stream of libp2p. */
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { DirectConnections } from './direct-connections.ts';
import { directKindOf } from './direct-kind.ts';
import { notAMember } from './errors.ts';
import { FramedStream } from './framed-stream.ts';
import { IndirectClasses } from './indirect-classes.ts';
import { Libp2pBytes } from './libp2p-bytes.ts';
import type { PathKind, PeerId, TrafficClass } from './network.ts';
import type { RelayedBytes } from './relayed-bytes.ts';
import type { FrameStream, TransportListener } from './transport.ts';

const TRAFFIC_CLASSES: readonly TrafficClass[] = ['raft', 'control', 'bulk', 'join'];
/** Per connection and class: one stream is used; a few more may overlap while an old one dies. */
const MAX_STREAMS_PER_CLASS = 8;
/** The exchange that opens a direct connection. */
const DIRECT_PROTOCOL = '/holdfast/1/direct';

export interface ClassStreamsComponents {
  readonly direct: DirectConnections;
  readonly kindOf: (connection: Connection) => PathKind;
  /** Where bulk over relays is counted. */
  readonly relayedBytes: RelayedBytes;
  /** Called when a class that shares the libp2p connection may have one of its own now. */
  readonly improved: (peer: PeerId) => void;
  readonly logger: Logger;
}

export interface ClassStreamsOptions {
  /** See IndirectClassesOptions. */
  readonly directRetryMs: number | undefined;
}

export class ClassStreams {
  readonly #components: ClassStreamsComponents;
  readonly #indirect: IndirectClasses;

  constructor(components: ClassStreamsComponents, { directRetryMs }: ClassStreamsOptions) {
    this.#components = components;
    this.#indirect = new IndirectClasses(
      { retry: ({ remotePeer }) => components.improved(remotePeer.toString()) },
      { firstPauseMs: directRetryMs },
    );
  }

  /** To the peer of `connection`. Throws whatever is in the way of it. */
  async open(connection: Connection, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    const direct = await this.#openDirect(connection, trafficClass, signal);
    if (direct !== undefined) return direct;
    const isShared = this.#indirect.has(connection, trafficClass);
    const options = { signal, runOnLimitedConnection: true };
    const stream = await connection.newStream(protocolOf(trafficClass), options);
    if (isShared) this.#indirect.retryLater(connection, trafficClass);
    return this.#framed(stream, connection, trafficClass, isShared ? 'shared' : undefined);
  }

  /** Hands those that peers open to `listener`. Order: before libp2p starts. */
  async serve(libp2p: Libp2p, listener: TransportListener): Promise<void> {
    for (const trafficClass of TRAFFIC_CLASSES)
      await libp2p.handle(
        protocolOf(trafficClass),
        (stream, connection) =>
          listener.stream(
            connection.remotePeer.toString(),
            trafficClass,
            this.#framed(stream, connection, trafficClass),
          ),
        {
          maxInboundStreams: MAX_STREAMS_PER_CLASS,
          maxOutboundStreams: MAX_STREAMS_PER_CLASS,
          runOnLimitedConnection: true,
        },
      );
    await this.#serveDirect(libp2p, listener);
  }

  /** Undefined where there can be none, as through a relay or a hole, or where that came to nothing. */
  async #openDirect(
    connection: Connection,
    trafficClass: TrafficClass,
    signal: AbortSignal,
  ): Promise<FrameStream | undefined> {
    const { direct, kindOf, logger } = this.#components;
    const path = kindOf(connection);
    if (path === 'relayed' || path === 'punched') return undefined;
    if (directKindOf(trafficClass) === undefined || this.#indirect.has(connection, trafficClass))
      return undefined;
    try {
      const exchange = framed(await connection.newStream(DIRECT_PROTOCOL, { signal }));
      return new FramedStream(await direct.open(connection, trafficClass, exchange, signal), path);
    } catch (error) {
      signal.throwIfAborted();
      this.#indirect.add(connection, trafficClass);
      const peer = connection.remotePeer.toString();
      logger.info('network.no-direct-connection', { peer, cause: describeError(error) });
      return undefined;
    }
  }

  async #serveDirect(libp2p: Libp2p, listener: TransportListener): Promise<void> {
    const { direct } = this.#components;
    direct.onOpened((peer, trafficClass, bytes) =>
      listener.stream(peer, trafficClass, new FramedStream(bytes)),
    );
    const serve = async (stream: Stream, connection: Connection): Promise<void> => {
      const peer = connection.remotePeer.toString();
      if (await listener.admits(peer)) direct.serve(connection, framed(stream));
      else stream.abort(notAMember(peer, 'control'));
    };
    await libp2p.handle(DIRECT_PROTOCOL, serve, { maxInboundStreams: MAX_STREAMS_PER_CLASS });
  }

  #framed(
    stream: Stream,
    connection: Connection,
    trafficClass: TrafficClass,
    path: PathKind = this.#components.kindOf(connection),
  ): FrameStream {
    const isMetered = path === 'relayed' && trafficClass === 'bulk';
    const peer = connection.remotePeer.toString();
    const meter = isMetered ? this.#components.relayedBytes.meter(peer) : undefined;
    return new FramedStream(new Libp2pBytes(stream, meter), path);
  }
}

function framed(stream: Stream): FrameStream {
  return new FramedStream(new Libp2pBytes(stream));
}

function protocolOf(trafficClass: TrafficClass): string {
  return `/holdfast/1/${trafficClass}`;
}
