/** @module What can be wrong with the text and messages peers hand each other. */
import { HoldfastError } from '../common/errors.ts';

/** PROTOCOL_BAD_TOKEN (refused): the text is no join token, or was cut or mistyped. */
export function badToken(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_BAD_TOKEN',
    kind: 'refused',
    message: `This is not a complete join token (${reason}). Copy it again whole, or make a new one with "holdfast cluster token create".`,
    facts: { reason },
    cause,
  });
}

/** PROTOCOL_PUSH_STALLED (unavailable): a datanode took no bytes of a block, or gave no answer, for too long. */
export function pushStalled(hash: string, node: number, afterMs: number): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_PUSH_STALLED',
    kind: 'unavailable',
    message: `Datanode ${node} did not go on with block ${hash} for ${afterMs} ms. Send it to another datanode.`,
    facts: { hash, node, afterMs },
  });
}

/** PROTOCOL_TOO_LONG_ANSWER (broken): a peer answered a block with more than any answer has. */
export function tooLongAnswer(peer: string, limitBytes: number): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_TOO_LONG_ANSWER',
    kind: 'broken',
    message: `Peer ${peer} answered a block with more than ${limitBytes} bytes. Does it run the same version?`,
    facts: { peer, limitBytes },
  });
}

export function noSuchWorker(name: string, known: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_NO_SUCH_WORKER',
    kind: 'refused',
    message: `There is no worker "${name}" here. There are: ${known.join(', ')}.`,
    facts: { name, known },
  });
}

export function notPausable(name: string): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_NOT_PAUSABLE',
    kind: 'refused',
    message: `The worker "${name}" cannot be paused: the node needs it to be well.`,
    facts: { name },
  });
}

export function controlNotAllowed(peer: string): HoldfastError {
  return new HoldfastError({
    code: 'PROTOCOL_CONTROL_NOT_ALLOWED',
    kind: 'refused',
    message: `Only clients and metadata nodes may control workers, and peer ${peer} is neither.`,
    facts: { peer },
  });
}
