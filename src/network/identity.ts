/** @module Who this machine is: an Ed25519 key in a file that only its owner may read. */
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { badIdentity } from './errors.ts';
import type { PeerId } from './network.ts';

export interface Identity {
  readonly peer: PeerId;
  readonly privateKey: PrivateKey;
}

const OWNER_ONLY = 0o600;
const FORMAT = 1;

/** A fresh identity that is kept nowhere. */
export async function createIdentity(): Promise<Identity> {
  return identify(await generateKeyPair('Ed25519'));
}

/**
 * The identity in `file`, made on first use with mode 0600 (its directory must exist).
 * NETWORK_BAD_IDENTITY when others may read the file, or its content is not one of ours: never replaced, since a node
 * that changes its identity is another node.
 */
export async function loadOrCreateIdentity(file: string): Promise<Identity> {
  const mode = await permissionsOf(file);
  if (mode === undefined) return create(file);
  if ((mode & 0o077) !== 0)
    throw badIdentity(
      file,
      `its mode ${mode.toString(8)} lets others read the private key`,
      `Run: chmod 600 ${file}`,
    );
  return parse(file, await readFile(file, 'utf8'));
}

async function permissionsOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw badIdentity(file, describeError(error), 'Make it readable for this user.', error);
  }
}

async function create(file: string): Promise<Identity> {
  const identity = await createIdentity();
  const privateKey = Buffer.from(privateKeyToProtobuf(identity.privateKey as Ed25519PrivateKey)).toString(
    'base64',
  );
  const text = `${JSON.stringify({ format: FORMAT, peer: identity.peer, privateKey })}\n`;
  const draft = `${file}.new-${identity.peer.slice(-8)}`;
  const handle = await open(draft, 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  const directory = await open(dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return identity;
}

function parse(file: string, text: string): Identity {
  const advice = 'Restore it from a backup, or join again as a new node.';
  try {
    const { format, peer, privateKey }: Record<string, unknown> = JSON.parse(text);
    if (format !== FORMAT || typeof privateKey !== 'string')
      throw badIdentity(file, `it is no identity of format ${FORMAT}`, advice);
    const identity = identify(privateKeyFromProtobuf(Buffer.from(privateKey, 'base64')));
    if (identity.peer !== peer) throw badIdentity(file, 'its key does not belong to its peer id', advice);
    return identity;
  } catch (error) {
    if (isHoldfastError(error)) throw error;
    throw badIdentity(file, `its content is broken (${describeError(error)})`, advice, error);
  }
}

function identify(privateKey: PrivateKey): Identity {
  return { peer: peerIdFromPrivateKey(privateKey).toString(), privateKey };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
