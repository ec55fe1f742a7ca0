/** @module What a metadata node can fail with when it is about who belongs to the cluster, and as what, by code. */
import { HoldfastError } from '../common/errors.ts';

/** METADATA_NOT_A_MEMBER (unavailable): this node was removed and hears it only now; surely nothing happened here. */
export function notAMember(cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_MEMBER',
    kind: 'unavailable',
    message: 'This metadata node does not belong to the cluster any more. Ask another one.',
    cause,
  });
}

/** NAMESPACE_NO_SUCH_MEMBER (refused). */
export function noSuchMember(number: number): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_NO_SUCH_MEMBER',
    kind: 'refused',
    message: `There is no member ${number}. "holdfast cluster members" lists them.`,
    facts: { number },
  });
}

/** METADATA_LAST_METADATA_NODE (refused): without it nobody could commit anything any more. */
export function lastMetadataNode(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_LAST_METADATA_NODE',
    kind: 'refused',
    message: `Node ${number} is the cluster's last metadata node and cannot leave. Let another metadata node join first.`,
    facts: { number },
  });
}

/** METADATA_REMOVED (refused): final for this member number; the node stops. */
export function removed(number: number, cluster: string): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REMOVED',
    kind: 'refused',
    message: `Node ${number} was removed from cluster ${cluster} and has stopped. Its number is never used again: remove its directory once no file needs the copies in it, and join anew with a token.`,
    facts: { number, cluster },
  });
}

/** METADATA_SUPERSEDED (refused): the cluster was recovered without this node, which must not take part any more. */
export function superseded(number: number, cluster: string, epoch: number, current: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_SUPERSEDED',
    kind: 'refused',
    message: `Node ${number} is of epoch ${epoch} of cluster ${cluster}, which was recovered without it and is now in epoch ${current}. It has stopped, and will not vote again. Join anew as a metadata node, in another directory; if this directory also holds blocks, run it with "holdfast node start --role data".`,
    facts: { number, cluster, epoch, current },
  });
}

/** METADATA_REMOVAL_UNSAFE (refused): what would be lost is in the facts; `force` does it anyway. */
export function removalUnsafe(number: number, concerns: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REMOVAL_UNSAFE',
    kind: 'refused',
    message: `Node ${number} was not removed. ${concerns.join(' ')} Add --force to remove it all the same.`,
    facts: { number, concerns },
  });
}

/** METADATA_NOT_A_DATANODE (refused): only datanodes hold copies. */
export function notADatanode(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_DATANODE',
    kind: 'refused',
    message: `Node ${number} holds no blocks: it is no datanode. "holdfast cluster members" lists the roles.`,
    facts: { number },
  });
}

/** METADATA_NOT_A_VOTER (refused): only a voter can lead. */
export function notAVoter(number: number, voters: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_VOTER',
    kind: 'refused',
    message: `Node ${number} cannot lead: the voting metadata nodes are ${voters.join(', ')}.`,
    facts: { number, voters: voters.map(String) },
  });
}

/** METADATA_NOT_TRANSFERRED (unavailable): the leader is still the same. */
export function notTransferred(to: number, leader: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_TRANSFERRED',
    kind: 'unavailable',
    message:
      to === 0
        ? `Node ${leader} still leads: no other voting metadata node answers it.`
        : `Node ${leader} still leads: node ${to} did not take over in time. Look at it in "holdfast cluster members".`,
    facts: { to, leader },
  });
}

/** METADATA_ROLLED_BACK (broken): this node has forgotten what it once said; it must not vote under its number. */
export function rolledBack(number: number, witness: number, has: number, said: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_ROLLED_BACK',
    kind: 'broken',
    message: `The data directory of node ${number} is older than the node itself: it has ${has} writes of its log, and node ${witness} has heard of ${said}. An old copy was probably put back. Start it again: it comes back under a new number.`,
    facts: { number, witness, has, said },
  });
}

/** METADATA_COPY_OUTLIVED (broken): too few are left of those who could say whether this copy is the newest state of the node. */
export function copyOutlived(number: number, gone: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_COPY_OUTLIVED',
    kind: 'broken',
    message: `The data directory of node ${number} is a copy (its files were put here by something else), and those who could say whether the node has gone on since have left the cluster (${gone.join(', ')}). Start it again: it comes back under a new number.`,
    facts: { number, gone: gone.map(String) },
  });
}

/** METADATA_COPY_ALONE (refused): nobody can say whether this copy is the newest state of the node. */
export function copyAlone(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_COPY_ALONE',
    kind: 'refused',
    message: `The data directory of node ${number} is a copy (its files were put here by something else), and it is the only voter: there is nobody who could say whether the node has gone on elsewhere since. If it has not, accept this copy with "holdfast cluster recover --force".`,
    facts: { number },
  });
}

/** METADATA_REJOIN_UNSAFE (unavailable): without the node that asks, too few voters are heard for a majority. */
export function rejoinUnsafe(number: number, voters: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REJOIN_UNSAFE',
    kind: 'unavailable',
    message: `Node ${number} cannot get a new number now: of the other voters (${voters.join(', ') || 'none'}) no majority is heard. Start the missing metadata nodes; if they are lost for good, see "holdfast cluster recover".`,
    facts: { number, voters: voters.map(String) },
  });
}

/** METADATA_JOIN_RATE_LIMITED (unavailable): strangers may only try so often. */
export function joinRateLimited(retryMs: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_JOIN_RATE_LIMITED',
    kind: 'unavailable',
    message: `Too many attempts to join at this metadata node. Try again in ${Math.ceil(retryMs / 1000)} s.`,
    facts: { retryMs: Math.ceil(retryMs) },
  });
}

/** NAMESPACE_WRONG_CLUSTER (refused): the token was made by another cluster. */
export function wrongCluster(wanted: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_WRONG_CLUSTER',
    kind: 'refused',
    message: `The token is for cluster ${got}, and this is cluster ${wanted}. Use a token made by this cluster.`,
    facts: { wanted, got },
  });
}
