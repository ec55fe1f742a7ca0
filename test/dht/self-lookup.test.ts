/** @module When a node looks for the peers closest to it, and when it has no need to. */
import { beforeEach, describe, expect, it } from 'vitest';
import { BUCKET_SIZE, type KademliaService } from '../../dht/kademlia-service.ts';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, SelfLookup } from '../../dht/self-lookup.ts';
import { peerMultihash } from '../../dht/shard.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createIdentity } from '../../src/network/identity.ts';

const NEVER = new AbortController().signal;

describe('a node', () => {
  let known: string[];
  let connected: string[];
  let answering: number;
  let asked: Uint8Array[];
  let self: string;
  let lookup: SelfLookup;

  beforeEach(async () => {
    [known, connected, answering, asked] = [[], [], 0, []];
    self = (await createIdentity()).peer;
    const service = {
      routingTable: {
        closestPeers: (_kadId: Uint8Array, { count }: { count: number }) => known.slice(0, count),
      },
      async *getClosestPeers(key: Uint8Array) {
        asked.push(key);
        yield { name: 'DIAL_PEER' };
        for (let answers = 0; answers < answering; answers += 1) yield { name: 'FINAL_PEER' };
      },
    } as unknown as KademliaService;
    const isConnected = (peer: string): boolean => connected.includes(peer);
    lookup = new SelfLookup({ service, isConnected, clock: systemClock }, { self });
  });

  it('looks for its neighbours as long as it meets nobody, and ever more seldom once it has met any', async () => {
    for (let times = 0; times < 3; times += 1) await lookup.work(NEVER);
    expect(asked).toEqual(Array.from({ length: 3 }, () => peerMultihash(self)));
    expect(lookup.idleMs).toBe(FIRST_PAUSE_MS);
    answering = 2;
    const pauses: number[] = [];
    for (let times = 0; times < 6; times += 1) {
      await lookup.work(NEVER);
      pauses.push(lookup.idleMs);
    }
    expect(pauses).toEqual([20_000, 40_000, 80_000, 160_000, LONGEST_PAUSE_MS, LONGEST_PAUSE_MS]);
  });

  it('asks nobody while it is connected with as many as answer any question, and again when they have gone', async () => {
    answering = 1;
    known = Array.from({ length: BUCKET_SIZE + 1 }, (_, number) => `p${number}`);
    connected = known.slice(0, BUCKET_SIZE);
    await lookup.work(NEVER);
    expect(asked).toEqual([]);
    connected = known.slice(1, BUCKET_SIZE);
    await lookup.work(NEVER);
    expect(asked).toHaveLength(1);
  });
});
