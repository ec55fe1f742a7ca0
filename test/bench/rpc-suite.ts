/** @module Two processes and the wire between them, `npm run bench -- rpc [--mib 1024] [--against stock-libp2p]`: one byte stream, and small calls. */
import { MIB } from '../../src/common/bytes.ts';
import { ProcessPair } from './process-pair.ts';
import type { Case, Suite } from './suite.ts';

export interface RpcCase extends Case {
  readonly name: 'stream' | 'calls';
}

const cases: readonly RpcCase[] = [
  { name: 'stream', unit: 'MB/s', per: 'GiB' },
  { name: 'calls', unit: '/s', per: '1,000 calls' },
];

export const suite: Suite<RpcCase, { readonly mib: number }> = {
  options: { mib: 1024 },
  runs: 3,
  plan({ mib }) {
    const streamBytes = mib * MIB;
    const stock = 'TCP, Noise, yamux as they come; a stream for each call; encrypted';
    return {
      cases,
      holdfast: () =>
        ProcessPair.start(
          'holdfast',
          { client: 'rpc-client.ts', streamBytes },
          'in memory; encrypted, the peers authenticated by Noise',
        ),
      peers: {
        'stock-libp2p': () =>
          ProcessPair.start('stock-libp2p', { client: 'stock-client.ts', streamBytes }, stock),
      },
      withoutScripts: ['stock-libp2p'],
    };
  },
};
