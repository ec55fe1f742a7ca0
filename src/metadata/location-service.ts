/** @module Serves this node's part of the location index: datanodes announce, metadata nodes take over, anybody in the cluster asks. */
import type { Clock } from '../common/clock.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { ANNOUNCE, COMPARE, HOLDINGS, INDEX_STATUS, LOOKUP, PULL } from '../protocol/methods.ts';
import { AnnounceLimits } from './announce-limits.ts';
import { fromDht, notAllowed } from './errors.ts';
import type { LocationIndex } from './location-index.ts';
import { type MemberDirectory, hasRole } from './member-directory.ts';

export interface LocationServiceComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly index: LocationIndex;
  readonly clock: Clock;
}

export class LocationService {
  readonly #components: LocationServiceComponents;

  constructor(components: LocationServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, index, clock } = this.#components;
    const { server } = index;
    const limits = new AnnounceLimits({ clock });
    serve(network, ANNOUNCE, async (request, { peer }) => {
      const node = this.#datanode(peer);
      return translated(() => {
        limits.check(node);
        return server.announce(node, request);
      });
    });
    serve(network, COMPARE, async (request, { peer }) => {
      const node = this.#datanode(peer);
      return translated(() => {
        limits.check(node);
        return server.compare(node, request);
      });
    });
    serve(network, HOLDINGS, async (request, { peer }) => {
      this.#checkMetadataNode(peer);
      return translated(() => server.holdings(request));
    });
    serve(network, PULL, async (request, { peer }) => {
      this.#checkMetadataNode(peer);
      return translated(() => server.pull(request));
    });
    serve(network, LOOKUP, async (request) => translated(() => server.lookup(request)));
    serve(network, INDEX_STATUS, async () => index.status());
  }

  #datanode(peer: PeerId): number {
    const member = this.#components.members.activeByPeer(peer);
    if (!hasRole(member, 'data')) throw notAllowed('only a datanode may announce blocks', { peer });
    return member.number;
  }

  #checkMetadataNode(peer: PeerId): void {
    if (!hasRole(this.#components.members.activeByPeer(peer), 'meta'))
      throw notAllowed('only a metadata node may take over shards', { peer });
  }
}

function translated<T>(ask: () => T | Promise<T>): T | Promise<T> {
  try {
    const answer = ask();
    return answer instanceof Promise
      ? answer.catch((error: unknown) => Promise.reject(fromDht(error)))
      : answer;
  } catch (error) {
    throw fromDht(error);
  }
}
