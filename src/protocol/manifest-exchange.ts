/** @module How a member that was away learns where the metadata nodes are: any node tells it the signed manifests that it keeps. */
import { ManifestBook } from '../../dht/manifest-book.ts';
import type { Membership } from '../../dht/membership-ring.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { MANIFEST } from './methods.ts';

export type { ManifestBook };

/** For one peer to answer: it may be one of many that are gone. */
const ASK_TIMEOUT_MS = 3_000;
/** Peers asked at a time. */
const PARALLEL = 4;

export interface ManifestParts {
  readonly network: Network;
  readonly logger: Logger;
}

/** `known`: the metadata nodes known otherwise, whose signatures count. */
export function createManifestBook(
  { network, logger }: ManifestParts,
  options: { readonly cluster: string; readonly known: () => Membership },
): ManifestBook {
  return new ManifestBook({ signatures: network, logger }, options);
}

/** Answers members; once per network. */
export function serveManifests(network: Network, book: ManifestBook): void {
  serve(network, MANIFEST, async () => book.chain());
}

/** Asks one peer, and says whether it brought anything new. What nobody known here has signed is not believed. Never rejects. */
export async function askForManifest(
  { network, logger }: ManifestParts,
  book: ManifestBook,
  peer: PeerId,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const options = { timeoutMs: ASK_TIMEOUT_MS, ...(signal && { signal }) };
    const isNew = book.take(await call(network, peer, MANIFEST, {}, options));
    // Where they are is told to whoever dials next.
    if (isNew)
      for (const { peer: named, addresses } of book.current?.nodes ?? []) network.learn(named, addresses);
    return isNew;
  } catch (error) {
    logger.debug('manifest.not-taken', { peer, error: describeError(error) });
    return false;
  }
}

/** Asks `peers`, some at a time, until one brings something new; says whether one did. Never rejects. */
export async function searchManifest(
  parts: ManifestParts,
  book: ManifestBook,
  peers: readonly PeerId[],
  signal?: AbortSignal,
): Promise<boolean> {
  const left = peers.filter((peer) => peer !== parts.network.localPeer);
  let isFound = false;
  const askOnwards = async (): Promise<void> => {
    for (let peer = left.shift(); peer !== undefined && !isFound; peer = left.shift()) {
      if (signal?.aborted === true) return;
      isFound = (await askForManifest(parts, book, peer, signal)) || isFound;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, askOnwards));
  return isFound;
}
