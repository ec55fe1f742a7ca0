/** @module The cluster manifest: which metadata nodes there are and where, signed by one of them, numbered by the epoch of the membership. */
import { badManifest } from './errors.ts';
import { Manifest, type ManifestNode, type SignedManifest } from './messages.ts';
import type { PeerId, Signatures } from './ports.ts';

/** Of one manifest; a cluster has three to some dozens. */
export const MAX_MANIFEST_NODES = 128;
/** Of one manifest as it is signed. */
export const MAX_MANIFEST_BYTES: number = 64 * 1024;
/** What is signed begins with this: no signature over anything else can be passed off as one over a manifest. */
const PURPOSE: Uint8Array = Buffer.from('holdfast manifest 1\n', 'utf8');

/** A signed manifest whose signature is right; whether its signer is to be trusted is another question. */
export interface Link {
  readonly manifest: Manifest;
  readonly signed: SignedManifest;
}

/** By the local peer, which must be among `nodes`. */
export function signManifest(signatures: Signatures, manifest: Manifest): Link {
  const bytes = Manifest.encode(manifest).finish();
  const signature = signatures.sign(purposeful(bytes));
  return { manifest, signed: { manifest: bytes, signer: signatures.localPeer, signature } };
}

/**
 * Reads one that came from anywhere. DHT_BAD_MANIFEST: not readable, of another cluster, not signed by who is said to have
 * signed it, or its signer does not count itself among the metadata nodes.
 */
export function openManifest(signatures: Signatures, cluster: string, signed: SignedManifest): Link {
  const manifest = decode(signed.manifest);
  const { signer } = signed;
  if (manifest.cluster !== cluster) throw badManifest('it is of another cluster', signer);
  if (!manifest.nodes.some(({ peer }) => peer === signer))
    throw badManifest('its signer is none of the metadata nodes that it names', signer);
  if (!signatures.verify(signer, purposeful(signed.manifest), signed.signature))
    throw badManifest('its signature is wrong', signer);
  return { manifest, signed };
}

/** Whether both name the same metadata nodes at the same addresses. */
export function namesTheSame(left: readonly ManifestNode[], right: readonly ManifestNode[]): boolean {
  return textOf(left) === textOf(right);
}

export function names({ nodes }: Manifest, peer: PeerId): boolean {
  return nodes.some((node) => node.peer === peer);
}

function decode(bytes: Uint8Array): Manifest {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) throw badManifest(`it has ${bytes.byteLength} bytes`, '');
  let manifest: Manifest;
  try {
    manifest = Manifest.decode(bytes);
  } catch (cause) {
    throw badManifest('it cannot be read', '', cause);
  }
  if (manifest.nodes.length > MAX_MANIFEST_NODES)
    throw badManifest(`it names ${manifest.nodes.length} nodes`, '');
  return manifest;
}

function purposeful(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([PURPOSE, bytes]);
}

function textOf(nodes: readonly ManifestNode[]): string {
  const lines = nodes.map(({ number, peer, addresses }) => [number, peer, ...addresses.toSorted()].join(' '));
  return lines.toSorted().join('\n');
}
