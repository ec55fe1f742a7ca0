/** @module Waiting for a peer that was asked to dial us. */
import type { Connection, Libp2p } from '@libp2p/interface';
import type { PeerId } from './network.ts';
import { isRelayed } from './relay-address.ts';

/** A connection to `peer` without a relay, once it is open. Throws the signal's reason. */
export function arrivalOf(libp2p: Libp2p, peer: PeerId, signal: AbortSignal): Promise<Connection> {
  const arrival = Promise.withResolvers<Connection>();
  const onOpen = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.remotePeer.toString() === peer && !isRelayed(detail.remoteAddr)) arrival.resolve(detail);
  };
  const onAbort = (): void => arrival.reject(signal.reason);
  libp2p.addEventListener('connection:open', onOpen);
  signal.addEventListener('abort', onAbort, { once: true });
  return arrival.promise.finally(() => {
    libp2p.removeEventListener('connection:open', onOpen);
    signal.removeEventListener('abort', onAbort);
  });
}
