/**
 * @module The cluster manifests that this process believes: of those signed by a metadata node that it knows, or that a believed one
 * names. The newest says where the metadata nodes are; of each signer the newest is kept, for others who know that one alone.
 */
import { badManifest, describe, staleManifest } from './errors.ts';
import { type Link, names, openManifest } from './manifest.ts';
import type { Membership } from './membership-ring.ts';
import { ManifestChain, type SignedManifest, type Manifest } from './messages.ts';
import type { Logger, PeerId, Signatures } from './ports.ts';

/** Signers whose newest manifest is kept; those who signed longest ago are forgotten first. */
export const MAX_LINKS = 32;
/** Of a whole chain. */
export const MAX_CHAIN_BYTES: number = 256 * 1024;

export interface ManifestBookComponents {
  readonly signatures: Signatures;
  readonly logger: Logger;
}

export interface ManifestBookOptions {
  readonly cluster: string;
  /** The metadata nodes this process knows by itself, those that are away among them, and as of when. */
  readonly known: () => Membership;
}

export class ManifestBook {
  readonly #components: ManifestBookComponents;
  readonly #options: ManifestBookOptions;
  /** By signer. */
  #links: ReadonlyMap<PeerId, Link> = new Map();
  #current: Manifest | undefined;

  constructor(components: ManifestBookComponents, options: ManifestBookOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** The newest that is believed. */
  get current(): Manifest | undefined {
    return this.#current;
  }

  /** Whether `peer` is a metadata node, by what is known here or by the newest manifest where that is newer. */
  trusts(peer: PeerId): boolean {
    const known = this.#options.known();
    const newer =
      this.#current !== undefined && this.#current.epoch > known.epoch ? this.#current : undefined;
    if (newer !== undefined && names(newer, peer)) return true;
    // Before the first list, what one was told to begin with stays good: an operator may have added to it.
    return (newer === undefined || known.epoch === 0) && known.peers.includes(peer);
  }

  /** The newest that `peer` signed. */
  signedBy(peer: PeerId): Manifest | undefined {
    return this.#links.get(peer)?.manifest;
  }

  /** The newest first. */
  chain(): ManifestChain {
    return { links: newestFirst([...this.#links.values()]).map(({ signed }) => signed) };
  }

  /** Ours, signed here. */
  add(link: Link): void {
    this.#keep([link]);
  }

  /**
   * What this process kept itself, or was given when it was admitted: believed as it was then, and may be older than what is known by
   * now. Of those who left before, it is passed on to who knows only them; they are trusted no more for that.
   */
  restore(chain: ManifestChain): void {
    this.#keep(this.#opened(chain).links);
  }

  /**
   * Takes what somebody says and returns whether it brought anything new. Errors: DHT_BAD_MANIFEST, where nothing in it is to
   * be believed; DHT_STALE_MANIFEST, where what is believed here is newer than all of it: a replay, or somebody who was away.
   */
  take(chain: ManifestChain): boolean {
    const { links, complaint } = this.#opened(chain);
    const believed = this.#believed(links);
    const newest = newestFirst(believed)[0];
    if (newest === undefined) throw complaint ?? badManifest('nobody known here signed it', signersOf(links));
    const currentEpoch = this.#current?.epoch ?? 0;
    if (newest.manifest.epoch < currentEpoch)
      throw staleManifest(newest.signed.signer, newest.manifest.epoch, currentEpoch);
    return this.#keep(believed);
  }

  /** Epoch of the newest link that is believed here; -1 when none is. */
  rank(chain: ManifestChain): number {
    return newestFirst(this.#believed(this.#opened(chain).links))[0]?.manifest.epoch ?? -1;
  }

  #opened({ links: all }: ManifestChain): { readonly links: readonly Link[]; readonly complaint: unknown } {
    let complaint: unknown;
    const links = all.slice(0, MAX_LINKS).flatMap((signed: SignedManifest): Link[] => {
      // Everybody sends the same over and over, and to check a signature is dear.
      const known = this.#links.get(signed.signer);
      if (known !== undefined && isSame(known.signed, signed)) return [known];
      try {
        return [openManifest(this.#components.signatures, this.#options.cluster, signed)];
      } catch (error) {
        complaint ??= error;
        this.#components.logger.debug('dht.manifest-refused', { error: describe(error) });
        return [];
      }
    });
    return { links, complaint };
  }

  /** Who is trusted vouches for those whom it names, they for others, and so on; what is older than the knowledge here, for nobody. */
  #believed(links: readonly Link[]): readonly Link[] {
    const floor = Math.max(this.#options.known().epoch, this.#current?.epoch ?? 0);
    const vouchedFor = new Set<PeerId>();
    const believed = new Set<Link>();
    for (let grown = true; grown; ) {
      grown = false;
      for (const link of links) {
        const { signer } = link.signed;
        if (believed.has(link) || !(this.trusts(signer) || vouchedFor.has(signer))) continue;
        believed.add(link);
        grown = true;
        if (link.manifest.epoch >= floor) for (const { peer } of link.manifest.nodes) vouchedFor.add(peer);
      }
    }
    return [...believed];
  }

  #keep(links: readonly Link[]): boolean {
    const bySigner = new Map(this.#links);
    let isNew = false;
    for (const link of links) {
      const { signer } = link.signed;
      const known = bySigner.get(signer);
      if (known !== undefined && known.manifest.epoch >= link.manifest.epoch) continue;
      bySigner.set(signer, link);
      isNew = true;
    }
    const kept = newestFirst([...bySigner.values()]).slice(0, MAX_LINKS);
    this.#links = new Map(kept.map((link) => [link.signed.signer, link]));
    const newest = kept[0]?.manifest;
    if (newest !== undefined && newest.epoch > (this.#current?.epoch ?? -1)) this.#current = newest;
    return isNew;
  }
}

/** DHT_BAD_MANIFEST. */
export function decodeChain(bytes: Uint8Array): ManifestChain {
  if (bytes.byteLength > MAX_CHAIN_BYTES) throw badManifest(`it has ${bytes.byteLength} bytes`, '');
  try {
    return ManifestChain.decode(bytes);
  } catch (cause) {
    throw badManifest('it cannot be read', '', cause);
  }
}

/** At most MAX_CHAIN_BYTES: the oldest links are left out. */
export function encodeChain({ links }: ManifestChain): Uint8Array {
  for (let count = links.length; ; count -= 1) {
    const bytes = ManifestChain.encode({ links: links.slice(0, count) }).finish();
    if (bytes.byteLength <= MAX_CHAIN_BYTES || count <= 1) return bytes;
  }
}

function newestFirst(links: readonly Link[]): Link[] {
  return links.toSorted(
    (left, right) =>
      right.manifest.epoch - left.manifest.epoch || (left.signed.signer < right.signed.signer ? -1 : 1),
  );
}

function isSame(left: SignedManifest, right: SignedManifest): boolean {
  return (
    Buffer.compare(left.manifest, right.manifest) === 0 &&
    Buffer.compare(left.signature, right.signature) === 0
  );
}

function signersOf(links: readonly Link[]): string {
  return links.map(({ signed }) => signed.signer).join(' ');
}
