/** @module Whether as many metadata nodes vote as there are: who takes one of them away must know that the others suffice. */
import { isHoldfastError } from '../../src/common/errors.ts';
import type { LocalCluster } from '../demo/local-cluster.ts';

const LOOK_LIMIT_MS = 5_000;

export function metadataNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith('m'));
}

/** As the cluster sees it itself; false when nobody says. */
export async function areAllVoting(cluster: LocalCluster, wanted: number): Promise<boolean> {
  await using client = await cluster.connect();
  try {
    const { metadataNodes } = await client.status({ signal: AbortSignal.timeout(LOOK_LIMIT_MS) });
    // One that came back under a new number is listed beside the old number for a while.
    const isVoter = ({ raftRole }: { readonly raftRole: string }): boolean => /leader|voter/.test(raftRole);
    const voters = metadataNodes.filter(isVoter);
    return voters.length === wanted && voters.every(({ reachable }) => reachable);
  } catch (error) {
    if (!isHoldfastError(error) && !isTimeout(error)) throw error;
    return false;
  }
}

/** A signal's time was over before anybody answered. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
