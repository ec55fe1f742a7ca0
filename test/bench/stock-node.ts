/** @module A libp2p node as its own documentation sets one up: TCP, Noise, yamux. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { createLibp2p, type Libp2p } from 'libp2p';

export const SINK = '/bench/sink';
export const ECHO = '/bench/echo';
/** Of either protocol at once on a connection: more calls are on their way than libp2p lets in by default. */
export const MAX_STREAMS = 256;

export function createStockNode(listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
}
