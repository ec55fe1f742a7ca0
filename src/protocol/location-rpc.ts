/** @module The location index's questions, carried by our network. */
import type { LocationRpc } from '../../dht/ports.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { ANNOUNCE, COMPARE, HOLDINGS, INDEX_STATUS, LOOKUP, PULL } from './methods.ts';

export function locationRpc(network: Network): LocationRpc {
  return {
    announce: (peer, request, signal) => call(network, peer, ANNOUNCE, request, { signal }),
    compare: (peer, request, signal) => call(network, peer, COMPARE, request, { signal }),
    lookup: (peer, request, signal) => call(network, peer, LOOKUP, request, { signal }),
    holdings: (peer, request, signal) => call(network, peer, HOLDINGS, request, { signal }),
    pull: (peer, request, signal) => call(network, peer, PULL, request, { signal }),
    status: (peer, signal) => call(network, peer, INDEX_STATUS, {}, { signal }),
  };
}
