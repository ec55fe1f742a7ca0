/** @module A holder of every shard without any others: the index's own work, and nothing around it. */
import { indexStatus } from '../../dht/index-status.ts';
import { LocationServer } from '../../dht/location-server.ts';
import type { LocationTableOptions } from '../../dht/location-table.ts';
import { MembershipRing } from '../../dht/membership-ring.ts';
import type { IndexStatusResponse } from '../../dht/messages.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { systemClock } from '../../src/common/clock.ts';
import { newTable } from '../dht/new-table.ts';

export interface LonelyHolder {
  readonly server: LocationServer;
  readonly status: () => IndexStatusResponse;
}

export function lonelyHolder(peer: string, options: Partial<LocationTableOptions> = {}): LonelyHolder {
  const ring = new MembershipRing(() => ({ epoch: 1, peers: [peer] }), peer);
  const table = newTable(options);
  const ledger = new ShardLedger(ring, peer);
  for (const shard of ledger.owned) ledger.completed(shard);
  const turns = new TellingTurns({ clock: systemClock });
  const server = new LocationServer(
    { table, ledger, ring, awaited: () => [], isDatanode: () => true, turns },
    { boot: peer },
  );
  return { server, status: () => indexStatus({ table, ledger, ring, pulled: () => 0 }, peer) };
}
