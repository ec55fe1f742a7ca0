/** @module What must hold of the holders in a storm, and when it is over. Each complaint is a line; none is well. */
import { ACKNOWLEDGING_HOLDERS } from '../../dht/delivery.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import type { BlockHash } from '../../dht/ports.ts';
import { HOLDERS_PER_SHARD, shardOfHash } from '../../dht/shard.ts';
import { DATANODE, type StormHolder, type StormWorld } from './storm-world.ts';

/** What is wrong, once everything is quiet. */
export function complaints(world: StormWorld): string[] {
  return world.holders().flatMap((holder) => {
    const { peer, table, ledger, ring } = holder;
    const own = ownOf(world, holder);
    const { nodes } = table.lookup(packHashes(own));
    const facts = {
      epoch: [ring.epoch, world.datanodeEpoch],
      records: [table.recordCount, nodes.length, own.length],
      agreed: [ledger.agreements.with(DATANODE).size, ledger.owned.size],
      missing: [ledger.missing().length, 0],
      leaving: [ledger.leaving(table).length, 0],
    };
    const wrong = Object.entries(facts).filter(([, values]) => values.some((value) => value !== values[0]));
    return wrong.map(([name, values]) => `${peer}: ${name} ${values.join(' / ')}`);
  });
}

/** How many blocks of its shards each holder lacks, of those that lack any. */
export function lacking(world: StormWorld): string[] {
  return world.holders().flatMap((holder) => {
    const own = ownOf(world, holder);
    const lacks = holder.table.lookup(packHashes(own)).counts.filter((count) => count === 0).length;
    return lacks === 0 ? [] : [`${holder.peer} lacks ${lacks} of ${own.length}`];
  });
}

/** Shards that holders believe to agree on, although they lack a block of them. */
export function falselyAgreed(world: StormWorld): string[] {
  const held = world.held.all();
  return world.holders().flatMap(({ peer, table, ledger }) => {
    const { counts } = table.lookup(packHashes(held));
    const lacks = new Set(held.filter((_, at) => counts[at] === 0).map(shardOfHash));
    const wrong = [...lacks].filter((shard) => ledger.agreements.with(DATANODE).has(shard));
    return wrong.length === 0 ? [] : [`${peer}: lacks blocks of ${wrong.length} shards it agrees on`];
  });
}

/** Whether two holders, or all, have the record of a block; who was restarted, and has not said so yet, may be believed to. */
export function isFounded(world: StormWorld, hash: BlockHash): boolean {
  const holders = world.holdersOf(hash);
  const believed = holders.filter(
    ({ table, isHeard }) => !isHeard || table.lookup(packHashes([hash])).nodes.includes(DATANODE),
  );
  return believed.length >= Math.min(ACKNOWLEDGING_HOLDERS, holders.length);
}

function ownOf(world: StormWorld, { peer, ring }: StormHolder): BlockHash[] {
  return world.held.all().filter((hash) => ring.closest(shardOfHash(hash), HOLDERS_PER_SHARD).includes(peer));
}
