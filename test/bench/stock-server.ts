/** @module The server process of stock-client.ts: counts what comes on one protocol, sends back what comes on the other. */
import { createStockNode, ECHO, MAX_STREAMS, SINK } from './stock-node.ts';

const node = await createStockNode(['/ip4/127.0.0.1/tcp/0']);
const limits = { maxInboundStreams: MAX_STREAMS };
await node.handle(
  SINK,
  async (stream) => {
    let sizeBytes = 0;
    for await (const piece of stream) sizeBytes += piece.byteLength;
    stream.send(new TextEncoder().encode(String(sizeBytes)));
    await stream.close();
  },
  limits,
);
await node.handle(
  ECHO,
  async (stream) => {
    for await (const piece of stream) stream.send(piece);
    await stream.close();
  },
  limits,
);
process.send?.({ addresses: node.getMultiaddrs().map(String) });
process.once('disconnect', () => void node.stop());
