/** @module Sees who looks up a block while its shard goes from one metadata node to another: what nobody may get a wrong answer for. */
import { countPacked } from '../../dht/packed-hashes.ts';
import { shardOfPrefix } from '../../dht/hash-prefix.ts';
import { HASH_SIZE_BYTES, shardOfPacked } from '../../dht/shard.ts';
import type { Network } from '../../src/network/network.ts';
import { LOOKUP, PULL } from '../../src/protocol/methods.ts';
import type { ProcessGate } from '../world/process-gate.ts';
import type { Coverage } from './coverage.ts';

/** A question that is not answered yet: shards that are fetched, or looked into. */
interface UnderWay {
  readonly kind: 'handover' | 'lookup';
  readonly shards: ReadonlySet<number>;
  /** Of who asks: one that died gets no answer. */
  readonly gate: ProcessGate;
  /** Of a lookup: a shard of it changed hands meanwhile. */
  hasMet: boolean;
}

export class HandoverWatch {
  readonly #coverage: Coverage;
  readonly #underWay = new Set<UnderWay>();

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** Whatever one run of a metadata node asks others passes here. */
  watch({ network, gate }: { readonly network: Network; readonly gate: ProcessGate }): void {
    const request = network.request.bind(network);
    network.request = async (peer, trafficClass, method, body, options) => {
      const asked = this.#begin(method, body, gate);
      const answer = request(peer, trafficClass, method, body, options);
      if (asked === undefined) return answer;
      try {
        const bytes = await answer;
        if (asked.hasMet) this.#coverage.saw('lookups answered during a handover');
        return bytes;
      } finally {
        this.#underWay.delete(asked);
      }
    };
  }

  #begin(method: string, body: Uint8Array, gate: ProcessGate): UnderWay | undefined {
    const asked = underWay(method, body, gate);
    if (asked === undefined) return undefined;
    for (const other of this.#underWay) {
      if (!other.gate.isAlive) this.#underWay.delete(other);
      else if (other.kind !== asked.kind && meet(other, asked))
        (asked.kind === 'lookup' ? asked : other).hasMet = true;
    }
    this.#underWay.add(asked);
    return asked;
  }
}

function meet(left: UnderWay, right: UnderWay): boolean {
  return [...left.shards].some((shard) => right.shards.has(shard));
}

function underWay(method: string, body: Uint8Array, gate: ProcessGate): UnderWay | undefined {
  if (method === PULL.name) {
    const { prefixes } = PULL.request.decode(body);
    return { kind: 'handover', shards: new Set(prefixes.map(shardOfPrefix)), gate, hasMet: false };
  }
  if (method !== LOOKUP.name) return undefined;
  const { hashes } = LOOKUP.request.decode(body);
  const shards = Array.from({ length: countPacked(hashes) }, (_, at) =>
    shardOfPacked(hashes, at * HASH_SIZE_BYTES),
  );
  return { kind: 'lookup', shards: new Set(shards), gate, hasMet: false };
}
