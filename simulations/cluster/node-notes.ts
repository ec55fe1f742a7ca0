/** @module What a datanode keeps on its disk of the others, as src/node/peer-book.ts and manifest-file.ts do: where to begin next time. */
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { KnownMetadataNode } from '../../src/datanode/member-directory.ts';
import type { Member } from '../../src/namespace/schema.ts';

export class NodeNotes {
  #metadata: readonly KnownMetadataNode[];
  #datanodes: readonly KnownMetadataNode[] = [];
  #manifests: ReturnType<ManifestBook['chain']> | undefined;

  /** `seeds`: those the join answer named. */
  constructor(seeds: readonly KnownMetadataNode[]) {
    this.#metadata = seeds;
  }

  /** Metadata nodes of now, and behind them those of earlier. */
  get metadata(): readonly KnownMetadataNode[] {
    return this.#metadata;
  }

  /** They may know where the metadata nodes are. */
  get datanodes(): readonly KnownMetadataNode[] {
    return this.#datanodes;
  }

  /** Gives the book of a new run what the last one had. */
  restore(manifests: ManifestBook): void {
    if (this.#manifests !== undefined) manifests.restore(this.#manifests);
  }

  take(members: readonly Member[], manifests: ManifestBook): void {
    const chain = manifests.chain();
    if (chain.links.length > 0) this.#manifests = chain;
    const current = withRole(members, 'meta');
    if (current.length === 0) return;
    const known = new Set(current.map(({ peer }) => peer));
    this.#metadata = [...current, ...this.#metadata.filter(({ peer }) => !known.has(peer))];
    this.#datanodes = withRole(members, 'data');
  }
}

function withRole(members: readonly Member[], role: string): readonly KnownMetadataNode[] {
  return members
    .filter(({ roles }) => roles.includes(role))
    .map(({ peer, addresses }) => ({ peer, addresses }));
}
