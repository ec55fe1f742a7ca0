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
