/** @module The join token as people copy it: `hf1_`, then base64url of a CRC32C (4 bytes, big-endian) and a JoinToken. */
import { crc32c } from '../common/hashing.ts';
import { badToken } from './errors.ts';
import { JoinToken } from './messages.ts';

/** What a newcomer needs to know to join: which cluster, whom to ask, and the secret that lets it in. */
export interface TokenContents {
  readonly clusterId: string;
  readonly tokenId: string;
  /** At least MIN_TOKEN_SECRET_BYTES. The cluster stores only its SHA-256. */
  readonly secret: Uint8Array;
  /** Multiaddrs of metadata nodes, each ending in /p2p/<peer>. */
  readonly addresses: readonly string[];
}

export const TOKEN_PREFIX = 'hf1_';
const MIN_TOKEN_SECRET_BYTES = 16;
/** Longer text is refused unread. */
const MAX_TOKEN_CHARACTERS = 16_384;
const CHECKSUM_SIZE_BYTES = 4;

const UNIQUE_LOCAL = /^\/ip6\/f[cd]/i;

/** Of one node's addresses those for a token, which people copy: a machine has many over IPv6, and one will do. */
export function briefAddresses(addresses: readonly string[]): string[] {
  const isIp6 = (address: string): boolean => address.startsWith('/ip6/');
  const chosen = addresses.find((address) => isIp6(address) && !UNIQUE_LOCAL.test(address));
  const only = chosen ?? addresses.find(isIp6);
  return addresses.filter((address) => !isIp6(address) || address === only);
}

export function encodeToken(contents: TokenContents): string {
  const payload = JoinToken.encode({
    cluster: contents.clusterId,
    tokenId: contents.tokenId,
    secret: contents.secret,
    addresses: [...contents.addresses],
  }).finish();
  const framed = Buffer.alloc(CHECKSUM_SIZE_BYTES + payload.length);
  framed.writeUInt32BE(crc32c(payload), 0);
  framed.set(payload, CHECKSUM_SIZE_BYTES);
  return TOKEN_PREFIX + framed.toString('base64url');
}

/** Throws PROTOCOL_BAD_TOKEN for anything encodeToken did not make. Surrounding white space is forgiven. */
export function decodeToken(text: string): TokenContents {
  const trimmed = text.trim();
  if (trimmed.length > MAX_TOKEN_CHARACTERS) throw badToken('it is too long');
  if (!trimmed.startsWith(TOKEN_PREFIX)) throw badToken(`it does not begin with ${TOKEN_PREFIX}`);
  const encoded = trimmed.slice(TOKEN_PREFIX.length);
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) throw badToken('it holds characters that no token has');
  const framed = Buffer.from(encoded, 'base64url');
  if (framed.length <= CHECKSUM_SIZE_BYTES) throw badToken('it is too short');
  const payload = new Uint8Array(framed.subarray(CHECKSUM_SIZE_BYTES));
  if (crc32c(payload) !== framed.readUInt32BE(0)) throw badToken('its checksum does not match');
  // Base64url text can differ in its unused last bits and still decode alike: only the one canonical text is a token.
  if (framed.toString('base64url') !== encoded) throw badToken('its last character is wrong');
  return checked(parse(payload));
}

function parse(payload: Uint8Array): JoinToken {
  try {
    return JoinToken.decode(payload);
  } catch (error) {
    throw badToken('its contents cannot be read', error);
  }
}

function checked(token: JoinToken): TokenContents {
  if (token.cluster === '' || token.tokenId === '') throw badToken('it names no cluster');
  if (token.secret.length < MIN_TOKEN_SECRET_BYTES) throw badToken('its secret is too short');
  if (token.addresses.length === 0) throw badToken('it names no address');
  return {
    clusterId: token.cluster,
    tokenId: token.tokenId,
    secret: token.secret,
    addresses: token.addresses,
  };
}
