/** @module Questions to the location index: this node's own part is asked without a message. */
import type { LocationServer } from '../../dht/location-server.ts';
import type { LookupRpc } from '../../dht/ports.ts';
import { orAborted } from '../common/deadline.ts';
import type { Network } from '../network/network.ts';
import { locationRpc } from '../protocol/location-rpc.ts';

export function lookupsOf(network: Network, own: Pick<LocationServer, 'lookup'>): LookupRpc {
  const others = locationRpc(network);
  return {
    lookup: async (peer, request, signal) => {
      if (peer !== network.localPeer) return others.lookup(peer, request, signal);
      const answer = own.lookup(request);
      return answer instanceof Promise ? orAborted(answer, signal) : answer;
    },
  };
}
