import { describe, expect, it } from 'vitest';
import { Coverage } from '../../simulations/cluster/coverage.ts';
import { HandoverWatch } from '../../simulations/cluster/handover-watch.ts';
import { ProcessGate } from '../../simulations/world/process-gate.ts';
import { World } from '../../simulations/world/world.ts';
import { fromHex } from '../../src/common/bytes.ts';
import type { Network } from '../../src/network/network.ts';
import { LOOKUP, PULL } from '../../src/protocol/methods.ts';

const NOTHING = new Uint8Array(0);
const SIGHT = 'lookups answered during a handover';

function open(): {
  coverage: Coverage;
  gate: ProcessGate;
  pull: (shard: string) => Promise<unknown>;
  lookUp: (shard: string) => Promise<unknown>;
  answer: (place: number) => void;
} {
  const coverage = new Coverage();
  const gate = new ProcessGate({ world: new World() });
  const waiting: PromiseWithResolvers<Uint8Array>[] = [];
  const request = (): Promise<Uint8Array> => {
    const asked = Promise.withResolvers<Uint8Array>();
    waiting.push(asked);
    return asked.promise;
  };
  const network = { request } as unknown as Network;
  new HandoverWatch(coverage).watch({ network, gate });
  return {
    coverage,
    gate,
    pull: (shard) =>
      network.request(
        'b',
        'control',
        PULL.name,
        PULL.request.encode({ epoch: 1, prefixes: [shard] }).finish(),
      ),
    lookUp: (shard) => {
      const hashes = fromHex(shard.padEnd(64, '0'));
      return network.request(
        'b',
        'control',
        LOOKUP.name,
        LOOKUP.request.encode({ hashes, epoch: 1 }).finish(),
      );
    },
    answer: (place) => waiting[place]?.resolve(NOTHING),
  };
}

describe('the watch over handovers', () => {
  it('sees a lookup that is answered while its shard is fetched by another metadata node', async () => {
    const { coverage, pull, lookUp, answer } = open();
    void pull('abc');
    const looked = lookUp('abc');
    expect(coverage.counts()[SIGHT]).toBe(0);
    answer(1);
    await looked;
    expect(coverage.counts()[SIGHT]).toBe(1);
  });

  it('sees nothing in lookups of other shards, after the handover, or while who fetched is dead', async () => {
    const { coverage, gate, pull, lookUp, answer } = open();
    const pulled = pull('abc');
    const other = lookUp('abd');
    answer(1);
    answer(0);
    await Promise.all([pulled, other]);
    const late = lookUp('abc');
    answer(2);
    await late;
    void pull('abc');
    gate.kill();
    const orphan = lookUp('abc');
    answer(4);
    await orphan;
    expect(coverage.counts()[SIGHT]).toBe(0);
  });
});
