/** @module Serves this node's part of the location index: datanodes announce, anybody in the cluster asks. */
import type { LocationServer } from '../../dht/location-server.ts';
import { serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { ANNOUNCE, INDEX_STATUS, LOOKUP } from '../protocol/methods.ts';
import { fromDht, notAllowed } from './errors.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';

export interface LocationServiceComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly server: LocationServer;
}

export class LocationService {
  readonly #components: LocationServiceComponents;

  constructor(components: LocationServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, members, server } = this.#components;
    serve(network, ANNOUNCE, async (request, { peer }) => {
      const member = members.activeByPeer(peer);
      if (!hasRole(member, 'data')) throw notAllowed('only a datanode may announce blocks', { peer });
      return translated(() => server.announce(member.number, request));
    });
    serve(network, LOOKUP, async (request) => translated(() => server.lookup(request)));
    serve(network, INDEX_STATUS, async () => server.status());
  }
}

function translated<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw fromDht(error);
  }
}
