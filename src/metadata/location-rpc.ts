/** @module The location index's questions to metadata nodes, carried by the house's network. */
import type { LocationRpc } from '../../dht/ports.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { ANNOUNCE, INDEX_STATUS, LOOKUP } from '../protocol/methods.ts';

export function locationRpc(network: Network): LocationRpc {
  return {
    announce: (peer, request, signal) => call(network, peer, ANNOUNCE, request, { signal }),
    lookup: (peer, request, signal) => call(network, peer, LOOKUP, request, { signal }),
    status: (peer, signal) => call(network, peer, INDEX_STATUS, {}, { signal }),
  };
}
