/** @module Keeps strangers away from protocols that other libp2p services serve, such as the DHT's. */
import type { Connection, Stream, StreamHandler, StreamHandlerOptions } from '@libp2p/interface';
import { notAMember } from './errors.ts';
import type { PeerId } from './network.ts';

/** The part of libp2p's registrar that this needs. */
export interface HandlerRegistry {
  getProtocols(): string[];
  getHandler(protocol: string): { handler: StreamHandler; options: StreamHandlerOptions };
  handle(protocol: string, handler: StreamHandler, options: StreamHandlerOptions): Promise<void>;
}

/**
 * Puts a question to `admits` before each inbound stream of `protocols` that has a handler now; a stranger's is reset.
 * Not libp2p.use(): libp2p 3.3.11 appends the protocol's handler to the middleware list with each inbound stream.
 */
export async function guardProtocols(
  registry: HandlerRegistry,
  protocols: readonly string[],
  admits: (peer: PeerId) => Promise<boolean>,
): Promise<void> {
  const served = new Set(registry.getProtocols());
  for (const protocol of protocols) {
    if (!served.has(protocol)) continue;
    const { handler, options } = registry.getHandler(protocol);
    const guarded = async (stream: Stream, connection: Connection): Promise<void> => {
      const peer = connection.remotePeer.toString();
      if (await admits(peer)) await handler(stream, connection);
      else stream.abort(notAMember(peer, 'control'));
    };
    await registry.handle(protocol, guarded, { ...options, force: true });
  }
}
