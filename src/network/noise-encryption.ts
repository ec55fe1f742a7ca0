/** @module Noise as this cluster runs it: prepared cipher, no error per received chunk, no packet per piece. */
import { noise } from '@chainsafe/libp2p-noise';
import type { MessageStream, SecuredConnection } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { gatherWrites } from './gathered-writes.ts';
import { noiseCrypto } from './noise-crypto.ts';

type NoiseFactory = ReturnType<typeof noise>;

/** What the library keeps on an encrypted stream to cut Noise messages out of the bytes that come in. */
interface DecodingStream extends MessageStream {
  readonly decoder?: { lengthDecoder: (received: Uint8ArrayList) => number };
}

/** Longer than any number of bytes too few for a length. */
const MORE_THAN_RECEIVED = 0xffff;

export function noiseEncryption(): NoiseFactory {
  const make = noise({ crypto: noiseCrypto });
  return (components) => {
    const encrypter = make(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = async (stream, options) => {
      gatherWrites(stream);
      return withCheapDecoder(await secureInbound.call(encrypter, stream, options));
    };
    encrypter.secureOutbound = async (stream, options) => {
      gatherWrites(stream);
      return withCheapDecoder(await secureOutbound.call(encrypter, stream, options));
    };
    return encrypter;
  };
}

/**
 * The length before a Noise message: two bytes, big endian. The library asks for the next one until too few bytes are
 * left, which is once per chunk of every connection. Its own function then throws; making that error took an eighth of
 * a metadata node's time. The greatest length does as well: the library waits for more bytes, and asks again.
 */
export function messageLength(received: Uint8ArrayList): number {
  return received.byteLength < 2 ? MORE_THAN_RECEIVED : received.get(0) * 256 + received.get(1);
}

function withCheapDecoder<Secured extends SecuredConnection>(secured: Secured): Secured {
  const { decoder }: DecodingStream = secured.connection;
  // Another version of the library may keep it elsewhere: then it works as before, only slower.
  if (decoder !== undefined) decoder.lengthDecoder = messageLength;
  return secured;
}
