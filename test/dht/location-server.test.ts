/** @module What a holder accepts, and from whom. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LocationServer } from '../../dht/location-server.ts';
import { LocationTable } from '../../dht/location-table.ts';
import { AnnounceRequest } from '../../dht/messages.ts';
import { MAX_BATCH_HASHES, packHashes } from '../../dht/packed-hashes.ts';
import { hashOf } from './index-world.ts';

describe('LocationServer', () => {
  let server: LocationServer;
  beforeEach(() => {
    server = new LocationServer({ table: new LocationTable() }, { boot: 'first' });
  });

  it('takes a batch, answers with its boot, and finds the block', () => {
    const hashes = packHashes([hashOf('a')]);
    expect(server.announce(3, request({ added: hashes }))).toEqual({ boot: 'first', taken: 1 });
    expect(server.lookup({ hashes })).toEqual({ counts: [1], nodes: [3], boot: 'first' });
    expect(server.status()).toEqual({ boot: 'first', records: 1, shards: 1 });
  });

  it('refuses a datanode that speaks for another', () => {
    expect(() => server.announce(4, request({}))).toThrow(
      expect.objectContaining({ code: 'DHT_NOT_YOUR_NODE', facts: { caller: 4, claimed: 3 } }),
    );
  });

  it('refuses half hashes and batches beyond the limit, and takes nothing of them', () => {
    const half = new Uint8Array(40);
    const huge = new Uint8Array((MAX_BATCH_HASHES + 1) * 32);
    for (const bad of [half, huge]) {
      const refusal = expect.objectContaining({ code: 'DHT_BAD_BATCH' });
      expect(() => server.announce(3, request({ added: bad }))).toThrow(refusal);
      expect(() => server.announce(3, request({ removed: bad }))).toThrow(refusal);
      expect(() => server.lookup({ hashes: bad })).toThrow(refusal);
    }
    expect(server.status().records).toBe(0);
  });

  it('tells an earlier start of a datanode that a later one exists', () => {
    server.announce(3, request({}));
    expect(() => server.announce(3, request({ generation: 1 }))).toThrow(
      expect.objectContaining({ code: 'DHT_STALE_GENERATION', facts: { node: 3, known: 2, got: 1 } }),
    );
  });

  it('reports a batch overtaken by a later one as not taken', () => {
    server.announce(3, request({ sequence: 5 }));
    expect(server.announce(3, request({ added: packHashes([hashOf('a')]) })).taken).toBe(0);
  });
});

function request(fields: Partial<AnnounceRequest>): AnnounceRequest {
  return AnnounceRequest.create({ node: 3, generation: 2, sequence: 1, ...fields });
}
