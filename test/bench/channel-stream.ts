/** @module Bytes down one channel to rpc-server.ts, which counts them. */
import { fromUtf8, MIB, utf8 } from '../../src/common/bytes.ts';
import type { Network, PeerId } from '../../src/network/network.ts';

/** Throws when another number of bytes arrived. */
export async function streamInto(network: Network, peer: PeerId, sizeBytes: number): Promise<void> {
  const channel = await network.open(peer, 'sink', utf8(''));
  const piece = new Uint8Array(MIB).fill(7);
  for (let sent = 0; sent < sizeBytes; sent += piece.byteLength) await channel.write(piece);
  await channel.end();
  let answer = '';
  for await (const reply of channel) answer += fromUtf8(reply);
  if (answer !== String(sizeBytes)) throw new Error(`Sent ${sizeBytes} bytes, the reader counted ${answer}`);
}
