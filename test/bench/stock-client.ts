/** @module The client process of the rpc suite over libp2p as it comes: a stream for each call, as its protocols do. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { multiaddr } from '@multiformats/multiaddr';
import { MIB } from '../../src/common/bytes.ts';
import { obeyOrders } from './ordered-client.ts';
import { createStockNode, ECHO, MAX_STREAMS, SINK } from './stock-node.ts';

const server = fork(new URL('./stock-server.ts', import.meta.url));
const [home] = (await once(server, 'message')) as [{ addresses: string[] }];
const node = await createStockNode([]);
const connection = await node.dial(multiaddr(home.addresses[0] ?? ''));
const options = { maxOutboundStreams: MAX_STREAMS };

obeyOrders(server, {
  async stream(sizeBytes) {
    const stream = await connection.newStream(SINK, options);
    const piece = new Uint8Array(MIB).fill(7);
    for (let sent = 0; sent < sizeBytes; sent += piece.byteLength)
      if (!stream.send(piece)) await stream.onDrain();
    await stream.close();
    let answer = '';
    for await (const reply of stream) answer += new TextDecoder().decode(reply.subarray());
    if (answer !== String(sizeBytes))
      throw new Error(`Sent ${sizeBytes} bytes, the reader counted ${answer}`);
  },
  async call(body) {
    const stream = await connection.newStream(ECHO, options);
    stream.send(body);
    await stream.close();
    for await (const _ of stream);
  },
  close: async () => node.stop(),
});
