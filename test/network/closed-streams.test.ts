/** @module Streams that were closed between being made and being handed over. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';
import type { FrameStream, Transport, TransportListener } from '../../src/network/transport.ts';

function closedStream(): FrameStream {
  const [ours] = memoryStreamPair((deliver) => queueMicrotask(deliver));
  ours.sever(new Error('the connection broke'));
  return ours;
}

/** Every stream it has is closed already. */
class BrokenTransport implements Transport {
  readonly localPeer = 'a';
  listener: TransportListener | undefined;

  addresses = (): readonly string[] => [];
  learn = (): void => {};
  dial = (): Promise<string> => Promise.resolve('b');
  isConnected = (): boolean => true;
  connectedPeers = (): readonly string[] => ['b'];
  paths = (): readonly [] => [];
  sign = (): Uint8Array => new Uint8Array(0);
  verify = (): boolean => false;
  connect = (): Promise<FrameStream> => Promise.resolve(closedStream());
  start = async (listener: TransportListener): Promise<void> => void (this.listener = listener);
  stop = (): Promise<void> => Promise.resolve();
}

describe('a network whose streams are closed when it gets them', () => {
  it('takes one of a peer without harm, and calls a peer behind another unreachable', async () => {
    const transport = new BrokenTransport();
    const collaborators = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const network = new FramedNetwork({ transport, ...collaborators });
    await network.start();
    transport.listener?.stream('b', 'control', closedStream());
    await expect(network.request('b', 'control', 'ask', new Uint8Array(1))).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
      message: expect.stringContaining('broke at once'),
    });
    await network.stop();
  });
});
