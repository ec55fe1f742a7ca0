/** @module Keeps strangers away from protocols that other libp2p services serve, such as the DHT's. */
import type { Connection, Stream, StreamHandler, StreamHandlerOptions } from '@libp2p/interface';
import { notAMember } from './errors.ts';
import type { PeerId } from './network.ts';

/** The part of libp2p's registrar that this needs. */
export interface HandlerRegistry {
  handle(protocol: string, handler: StreamHandler, options?: StreamHandlerOptions): Promise<void>;
}

/**
 * Puts a question to `admits` before each inbound stream of `protocols`, whoever serves them; a stranger's is reset. Order: before
 * libp2p starts, since services then take up their protocols and the port is open a moment later.
 * Not libp2p.use(): libp2p 3.3.11 appends the protocol's handler to the middleware list with each inbound stream.
 */
export function guardProtocols(
  registry: HandlerRegistry,
  protocols: readonly string[],
  admits: (peer: PeerId) => Promise<boolean>,
): void {
  const guarded = new Set(protocols);
  const handle = registry.handle.bind(registry);
  registry.handle = (protocol, handler, options) =>
    handle(protocol, guarded.has(protocol) ? guardedBy(admits, handler) : handler, options);
}

function guardedBy(admits: (peer: PeerId) => Promise<boolean>, handler: StreamHandler): StreamHandler {
  return async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toString();
    if (await admits(peer)) await handler(stream, connection);
    else stream.abort(notAMember(peer, 'control'));
  };
}
