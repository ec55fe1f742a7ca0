/** @module How a node reaches its peers, summed up by what they are: for the status, and small however large the cluster is. */
import type { PeerId, PeerPath } from '../network/network.ts';
import type { Reach } from './messages.ts';

/** Whoever is no known member is a client that came lately. */
type Role = 'meta' | 'data' | 'client';

interface Named {
  readonly roles: readonly string[];
}

/** One line for each kind of peer and of path. A node that holds blocks counts as `data`, whatever else it does. */
export function reportReach(
  from: 'meta' | 'data',
  paths: readonly PeerPath[],
  memberOf: (peer: PeerId) => Named | undefined,
): Reach[] {
  return sumReach(
    paths.map(({ peer, path, isOpen, relayedBytes }) => ({
      from,
      to: roleOf(memberOf(peer)),
      path,
      peers: isOpen ? 1 : 0,
      relayedBytes,
    })),
  );
}

/** The lines of several nodes as those of one. */
export function sumReach(reports: readonly Reach[]): Reach[] {
  const lines = new Map<string, Reach>();
  for (const { from, to, path, peers, relayedBytes } of reports) {
    const key = `${from} ${to} ${path}`;
    const line = lines.get(key) ?? { from, to, path, peers: 0, relayedBytes: 0 };
    lines.set(key, {
      ...line,
      peers: line.peers + peers,
      relayedBytes: line.relayedBytes + relayedBytes,
    });
  }
  return [...lines.keys()].toSorted().map((key) => lines.get(key) as Reach);
}

function roleOf(member: Named | undefined): Role {
  if (member?.roles.includes('data')) return 'data';
  return member?.roles.includes('meta') ? 'meta' : 'client';
}
