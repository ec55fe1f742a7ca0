/** @module Everything that can go wrong with a process of Holdfast before its roles run. */
import { describeError, HoldfastError } from '../common/errors.ts';

export function alreadyRunning(directory: string, pid: number | undefined): HoldfastError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new HoldfastError({
    code: 'NODE_ALREADY_RUNNING',
    kind: 'refused',
    message: `The data directory ${directory} is in use by ${holder}. Stop that node first, or name another directory with --dir.`,
    facts: pid === undefined ? { directory } : { directory, pid },
  });
}

export function directoryNotWritable(directory: string, cause: unknown): HoldfastError {
  const reason = systemCode(cause);
  return new HoldfastError({
    code: 'NODE_DIRECTORY_NOT_WRITABLE',
    kind: 'refused',
    message: `Cannot write in the data directory ${directory} (${reason}). Check its owner and mode and the disk, or name another with --dir.`,
    facts: { directory, reason },
    cause,
  });
}

export function directoryNotEmpty(directory: string, found: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'NODE_DIRECTORY_NOT_EMPTY',
    kind: 'refused',
    message: `${directory} is not empty (it has ${found.slice(0, 3).join(', ')}). A new node starts in an empty directory: name another with --dir, or remove this one if nothing in it is needed.`,
    facts: { directory, found: found.slice(0, 8) },
  });
}

export function notInitialised(directory: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_NOT_INITIALISED',
    kind: 'refused',
    message: `There is no node in ${directory}. Run "holdfast cluster init" for a new cluster or "holdfast cluster join TOKEN" for an existing one.`,
    facts: { directory },
  });
}

export function configDamaged(file: string, reason: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_CONFIG_DAMAGED',
    kind: 'broken',
    message: `${file} cannot be used: ${reason}. Restore it from a backup, or give this machine a new directory and join again.`,
    facts: { file, reason },
  });
}

export function identityMismatch(directory: string, wanted: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_IDENTITY_MISMATCH',
    kind: 'broken',
    message: `The key in ${directory} belongs to peer ${got}, but node.json says ${wanted}. Put the right key file back; a node must not run under another's number.`,
    facts: { directory, wanted, got },
  });
}

export function roleNotGranted(wanted: string, granted: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'NODE_ROLE_NOT_GRANTED',
    kind: 'refused',
    message: `This node cannot run the role "${wanted}": it joined as ${granted.join(', ')}. Join with a token for that role in another directory.`,
    facts: { wanted, granted },
  });
}

export function hasLeft(directory: string, number: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_HAS_LEFT',
    kind: 'refused',
    message: `Node ${number} in ${directory} has left its cluster; numbers are never used again. Remove the directory and join anew.`,
    facts: { directory, number },
  });
}

/** What was written there now would be hidden once the disk is back. */
export function blocksGone(directory: string, number: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_BLOCKS_GONE',
    kind: 'refused',
    message: `Node ${number} has held blocks in ${directory}, and there is no trace of them. Is their disk mounted? Mount it and start again. If they are lost for good, start once with --blocks-lost: others make the copies anew.`,
    facts: { directory, number },
  });
}

/** Its state is lost, and there is nobody to come back to. */
export function rejoinAlone(directory: string, number: number, lost: HoldfastError): HoldfastError {
  return new HoldfastError({
    code: 'NODE_REJOIN_ALONE',
    kind: 'broken',
    message: `${lost.message} Node ${number} in ${directory} knows no other metadata node that it could come back to. Restore the directory from a copy, or accept the loss with "holdfast cluster recover --force".`,
    facts: { directory, number, lost: lost.code },
    cause: lost,
  });
}

/** The others did not give it a new number. Nothing on this disk was changed. */
export function rejoinFailed(number: number, lost: HoldfastError, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NODE_REJOIN_FAILED',
    kind: 'unavailable',
    message: `${lost.message} Node ${number} asked the other metadata nodes for a new number and got none (${describeError(cause)}). Nothing was changed here. Start the other metadata nodes and then this one again; if a majority of them is lost for good, see "holdfast cluster recover".`,
    facts: { number, lost: lost.code },
    cause,
  });
}

export function notAMetadataNode(directory: string, number: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_NOT_A_METADATA_NODE',
    kind: 'refused',
    message: `Node ${number} in ${directory} is no metadata node and has no log to recover from. Run the command on a metadata node that survived.`,
    facts: { directory, number },
  });
}

export function nothingToRecover(directory: string, number: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_NOTHING_TO_RECOVER',
    kind: 'refused',
    message: `Node ${number} in ${directory} had not received the namespace yet. Run the command on a metadata node that had.`,
    facts: { directory, number },
  });
}

/** A survey shows that the cluster can go on by itself. */
export function quorumNotLost(present: readonly number[], voters: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'NODE_QUORUM_NOT_LOST',
    kind: 'refused',
    message: `No majority is lost: of the voting metadata nodes ${voters.join(', ')}, ${present.join(', ')} are here. Start this node; with a majority up the cluster goes on and nothing is lost.`,
    facts: { present: present.map(String), voters: voters.map(String) },
  });
}

interface LogEnd {
  readonly node: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
}

export function betterSurvivor(own: LogEnd, best: LogEnd): HoldfastError {
  return new HoldfastError({
    code: 'NODE_BETTER_SURVIVOR',
    kind: 'refused',
    message: `Node ${best.node} has more of the log (term ${best.lastTerm}, entry ${best.lastIndex}) than node ${own.node} (term ${own.lastTerm}, entry ${own.lastIndex}): what is only there would be lost. Stop it and recover there, or add --force.`,
    facts: { best: best.node, lastIndex: best.lastIndex, own: own.lastIndex },
  });
}

export function recoveredElsewhere(
  own: number,
  other: number,
  epoch: number,
  current: number,
): HoldfastError {
  return new HoldfastError({
    code: 'NODE_RECOVERED_ELSEWHERE',
    kind: 'refused',
    message: `The cluster was recovered already: node ${other} is in epoch ${current}, node ${own} still in ${epoch}. Join anew as a metadata node, in another directory.`,
    facts: { own, other, epoch, current },
  });
}

export function recoveryUnfinished(directory: string, epoch: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_RECOVERY_UNFINISHED',
    kind: 'refused',
    message: `A recovery of the node in ${directory} (to epoch ${epoch}) was cut short. Run "holdfast cluster recover" again: it goes on where it stopped.`,
    facts: { directory, epoch },
  });
}

export function invalidAddress(
  address: string,
  reason: string,
  example = '/ip4/0.0.0.0/tcp/4600',
): HoldfastError {
  return new HoldfastError({
    code: 'NODE_INVALID_ADDRESS',
    kind: 'refused',
    message: `"${address}" is not an address to listen on: ${reason}. Write it like ${example}.`,
    facts: { address },
  });
}

/** The same code: what is wrong is on the same command line. */
export function invalidAnnouncement(address: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_INVALID_ADDRESS',
    kind: 'refused',
    message:
      `"${address}" is not an address that others can dial: it is announced as it stands. ` +
      'Write it like /ip4/203.0.113.7/tcp/4600, /ip6/2001:db8::7/tcp/4600 or /dns/node.example.org/tcp/4600.',
    facts: { address },
  });
}

export function portInUse(address: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_PORT_IN_USE',
    kind: 'refused',
    message: `Cannot listen on ${address}: the port is in use. Stop what listens there, or choose another with --listen.`,
    facts: { address },
  });
}

export function joinUnreachable(addresses: readonly string[], cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NODE_JOIN_UNREACHABLE',
    kind: 'unavailable',
    message: `None of the token's metadata nodes answered (${addresses.join(', ')}; last: ${describeError(cause)}). Check that one of them runs and that this machine can reach it, then run the same command again.`,
    facts: { addresses },
    cause,
  });
}

export function otherCluster(directory: string, wanted: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'NODE_OTHER_CLUSTER',
    kind: 'refused',
    message: `${directory} belongs to cluster ${got}, the token to cluster ${wanted}. Name another directory.`,
    facts: { directory, wanted, got },
  });
}

export function stillAnswers(directory: string, clusterId: string, nodes: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'NODE_CLUSTER_ANSWERS',
    kind: 'refused',
    message: `The node in ${directory} belongs to cluster ${clusterId}, and metadata node ${nodes.join(', ')} of it answers: it is not lost. Where a majority is gone, "holdfast cluster recover" on a survivor keeps everything. With --force this node leaves it all the same.`,
    facts: { directory, clusterId, nodes: nodes.join() },
  });
}

export function stillHasLog(directory: string, clusterId: string, lastIndex: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_STILL_HAS_LOG',
    kind: 'refused',
    message: `The node in ${directory} has the log of cluster ${clusterId} up to ${lastIndex}: "holdfast cluster recover --dir ${directory}" brings the namespace back from it. With --force it is put aside, not deleted, and the node joins the other cluster.`,
    facts: { directory, clusterId, lastIndex },
  });
}

export function backupDuringRecovery(): HoldfastError {
  return new HoldfastError({
    code: 'NODE_BACKUP_DURING_RECOVERY',
    kind: 'refused',
    message:
      'A recovery is open, and a backup of half a namespace would pass for the whole. End it first: "holdfast recover finish".',
    facts: {},
  });
}

export function alreadyJoined(directory: string, number: number): HoldfastError {
  return new HoldfastError({
    code: 'NODE_ALREADY_JOINED',
    kind: 'refused',
    message: `${directory} already holds node ${number} of this cluster. Start it with "holdfast node start".`,
    facts: { directory, number },
  });
}

/** ENOENT, EACCES … of a system error; the message of any other. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
