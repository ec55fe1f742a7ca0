/** @module Who this machine is: an Ed25519 key in a file that only its owner may read. */
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { notItsKey, readable, readIdentityFile, writtenIdentity } from './identity-file.ts';
import type { PeerId } from './network.ts';

export interface Identity {
  readonly peer: PeerId;
  readonly privateKey: PrivateKey;
}

const OWNER_ONLY = 0o600;

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
  const written = await readIdentityFile(file);
  if (written === undefined) return (await create(file)) ?? loadOrCreateIdentity(file);
  const identity = readable(file, () =>
    identify(privateKeyFromProtobuf(Buffer.from(written.privateKey, 'base64'))),
  );
  if (identity.peer !== written.peer) throw notItsKey(file);
  return identity;
}

/** Undefined when another process was faster: whoever goes on with a key that is in no file is nobody tomorrow. */
async function create(file: string): Promise<Identity | undefined> {
  const identity = await createIdentity();
  const privateKey = Buffer.from(privateKeyToProtobuf(identity.privateKey as Ed25519PrivateKey)).toString(
    'base64',
  );
  const text = writtenIdentity({ peer: identity.peer, privateKey });
  const draft = `${file}.new-${identity.peer.slice(-8)}`;
  const handle = await open(draft, 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike rename(), never in the place of a file that is there.
    await link(draft, file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
    throw error;
  } finally {
    await rm(draft);
  }
  const directory = await open(dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return identity;
}

function identify(privateKey: PrivateKey): Identity {
  return { peer: peerIdFromPrivateKey(privateKey).toString(), privateKey };
}
