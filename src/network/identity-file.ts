/** @module The file that holds an identity, as far as it can be read without the cryptography behind it. */
import { readFile, stat } from 'node:fs/promises';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { badIdentity } from './errors.ts';
import type { PeerId } from './network.ts';

/** What is written in an identity file; whether the key is that of the peer is for identity.ts to see. */
export interface WrittenIdentity {
  readonly peer: PeerId;
  /** The libp2p protobuf of a private key, in base64. */
  readonly privateKey: string;
}

const FORMAT = 1;
const FROM_BACKUP = 'Restore it from a backup, or join again as a new node.';

/** Undefined where there is no file. NETWORK_BAD_IDENTITY when others may read it, or it is none of ours. */
export async function readIdentityFile(file: string): Promise<WrittenIdentity | undefined> {
  const mode = await permissionsOf(file);
  if (mode === undefined) return undefined;
  if ((mode & 0o077) !== 0)
    throw badIdentity(
      file,
      `its mode ${mode.toString(8)} lets others read the private key`,
      `Run: chmod 600 ${file}`,
    );
  const text = await readFile(file, 'utf8');
  return readable(file, () => {
    const { format, peer, privateKey }: Record<string, unknown> = JSON.parse(text);
    if (format !== FORMAT || typeof privateKey !== 'string' || typeof peer !== 'string')
      throw badIdentity(file, `it is no identity of format ${FORMAT}`, FROM_BACKUP);
    return { peer, privateKey };
  });
}

export function writtenIdentity({ peer, privateKey }: WrittenIdentity): string {
  return `${JSON.stringify({ format: FORMAT, peer, privateKey })}\n`;
}

/** What `read` returns; whatever goes wrong in it becomes NETWORK_BAD_IDENTITY. */
export function readable<Read>(file: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (isHoldfastError(error)) throw error;
    throw badIdentity(file, `its content is broken (${describeError(error)})`, FROM_BACKUP, error);
  }
}

/** NETWORK_BAD_IDENTITY, to throw. */
export function notItsKey(file: string): Error {
  return badIdentity(file, 'its key does not belong to its peer id', FROM_BACKUP);
}

async function permissionsOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw badIdentity(file, describeError(error), 'Make it readable for this user.', error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
