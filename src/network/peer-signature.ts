/** @module Signatures by the key that a peer id is made of: whoever knows the id can check them, and needs no other key. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { utf8 } from '../common/bytes.ts';
import type { PeerId } from './network.ts';

const SEED_SIZE_BYTES = 32;

/** Ed25519 (RFC 8032), 64 bytes. */
export function signAs({ raw }: PrivateKey, bytes: Uint8Array): Uint8Array {
  const [d, x] = [base64Url(raw.subarray(0, SEED_SIZE_BYTES)), base64Url(raw.subarray(SEED_SIZE_BYTES))];
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } });
  return sign(undefined, bytes, key);
}

/** Whether `peer` signed `bytes`. False for what is no id of an Ed25519 key. */
export function isSignedBy(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = publicKeyOf(peer);
  if (publicKey === undefined) return false;
  const key = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: base64Url(publicKey) },
  });
  return verify(undefined, bytes, key, signature);
}

/** In place of a signature where there are no keys, in memory and in simulations: names the signer and the bytes, and proves nothing. */
export function unprovenSignature(peer: PeerId, bytes: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update(utf8(`${peer}\n`))
    .update(bytes)
    .digest();
}

export function isUnprovenSignature(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
  return Buffer.compare(unprovenSignature(peer, bytes), signature) === 0;
}

function publicKeyOf(peer: PeerId): Uint8Array | undefined {
  try {
    const { publicKey } = peerIdFromString(peer);
    return publicKey?.type === 'Ed25519' ? publicKey.raw : undefined;
  } catch {
    // Text that is no peer id: nobody has signed with it.
    return undefined;
  }
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
