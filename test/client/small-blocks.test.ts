/** @module Small blocks on their way together: who is counted as having them. */
import { describe, expect, it } from 'vitest';
import type { MemberMap } from '../../src/client/member-map.ts';
import type { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { NodeStanding } from '../../src/client/node-standing.ts';
import { SmallBlocks } from '../../src/client/small-blocks.ts';
import { systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import type { Network } from '../../src/network/network.ts';
import { FileWrite, Holder, WriteBlocksResponse } from '../../src/protocol/messages.ts';

const BYTES = new Uint8Array([1, 2, 3]);
const BLOCK = {
  hash: sha256(BYTES),
  sizeBytes: BYTES.length,
  pieces: [BYTES],
  fileId: 0,
  pathHint: '/a',
  position: 0,
  write: FileWrite.fromPartial({}),
  era: 1,
};

describe('a small block', () => {
  it.each([
    { answer: 'each datanode of its chain', nodes: [1, 2], isKept: true },
    { answer: 'one of them twice', nodes: [1, 1], isKept: false },
    { answer: 'one of them only', nodes: [1], isKept: false },
    { answer: 'one more than those', nodes: [1, 2, 3], isKept: true },
    { answer: 'somebody else', nodes: [1, 3], isKept: false },
  ])('whose answer names $answer: is kept by all of them? $isKept', async ({ nodes, isKept }) => {
    const outcomes = nodes.map((node) => ({ node, code: '', message: '', failures: [] }));
    const written = await smallBlocks(outcomes).write(
      BLOCK,
      { copies: 2, required: 2 },
      AbortSignal.timeout(5_000),
    );
    expect(written).toMatchObject({ isKept, failed: [] });
  });

  it.each([
    { code: 'DATANODE_NOT_ANNOUNCED', isUnheard: true },
    { code: 'STORAGE_NO_SPACE', isUnheard: false },
  ])('that one of them does not keep for $code: did the index not hear of it? $isUnheard', async (each) => {
    const { code, isUnheard } = each;
    const outcomes = [1, 2].map((node) => ({
      node,
      code: '',
      message: '',
      failures: node === 1 ? [{ index: 0, code, message: '' }] : [],
    }));
    const wanted = { copies: 2, required: 2 };
    const written = await smallBlocks(outcomes).write(BLOCK, wanted, AbortSignal.timeout(5_000));
    expect(written).toMatchObject({ isKept: false, isUnheard });
  });
});

function smallBlocks(nodes: WriteBlocksResponse['nodes']): SmallBlocks {
  const holders = [1, 2].map((node) => Holder.fromPartial({ node, peer: `peer-${node}` }));
  const placement = { holders, placements: [{ nodes: [1, 2] }], usableNodes: 2 };
  const network: Pick<Network, 'isConnected' | 'request'> = {
    isConnected: () => true,
    request: async () => WriteBlocksResponse.encode({ nodes }).finish(),
  };
  return new SmallBlocks({
    network: network as Network,
    metadata: { ask: async () => placement } as unknown as MetadataPeers,
    members: {} as MemberMap,
    standing: new NodeStanding({ clock: systemClock }),
    clock: systemClock,
    host: 'here',
  });
}
