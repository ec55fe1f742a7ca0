/**
 * @module Namespace operations through three metadata processes, beside etcd where asked:
 * `npm run bench -- metadata [--against etcd] [--seconds 4]`.
 *
 * Changes are `touch` of distinct names, each committed by Raft before it counts; reads are linearizable `stat`.
 */
import { EtcdMetadata } from './etcd-metadata.ts';
import { HoldfastMetadata } from './holdfast-metadata.ts';
import type { Case, Suite } from './suite.ts';

export interface MetadataCase extends Case {
  readonly operation: 'change' | 'read';
  /** Which metadata node the client knows. */
  readonly through: 'leader' | 'follower';
  readonly inFlight: number;
}

const cases: readonly MetadataCase[] = [
  caseOf('change', 'leader', 1),
  caseOf('change', 'leader', 64),
  caseOf('change', 'leader', 256),
  caseOf('read', 'leader', 64),
  caseOf('read', 'follower', 64),
];

export const suite: Suite<MetadataCase, { readonly seconds: number }> = {
  options: { seconds: 4 },
  runs: 3,
  plan({ seconds }) {
    return {
      cases,
      holdfast: () => HoldfastMetadata.start(seconds),
      peers: { etcd: (peers) => EtcdMetadata.start(peers, seconds) },
    };
  },
};

function caseOf(
  operation: MetadataCase['operation'],
  through: MetadataCase['through'],
  inFlight: number,
): MetadataCase {
  const name = `${operation}, ${inFlight} in flight, ${through}`;
  return { name, unit: '/s', per: '1,000', operation, through, inFlight };
}
