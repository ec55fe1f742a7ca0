/** @module Several small blocks to a datanode, which passes them on to others, and what each of them answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, KIB } from '../../src/common/bytes.ts';
import type { Network } from '../../src/network/network.ts';
import { pushBlocks } from '../../src/protocol/blocks-push.ts';
import type { Holder, NodeOutcome } from '../../src/protocol/messages.ts';
import { WRITE_BLOCKS } from '../../src/protocol/methods.ts';
import { contents, hashOf } from '../client/bytes.ts';
import { FileCluster, type RunningDataNode } from '../client/file-cluster.ts';

const BLOCKS = 5;

describe('small blocks to three datanodes', () => {
  let cluster: FileCluster;
  let network: Network;
  let chain: readonly RunningDataNode[];

  beforeAll(async () => {
    cluster = await FileCluster.start(1, 3);
    network = await cluster.metadata.client();
    chain = [...cluster.datanodes];
  });
  afterAll(() => cluster.stop());

  const bytesOf = (name: string): Uint8Array[] =>
    Array.from({ length: BLOCKS }, (_, block) => contents(4 * KIB, `${name} ${block}`));

  function push(all: readonly Uint8Array[]): Promise<readonly NodeOutcome[]> {
    const blocks = all.map((data, position) => {
      const note = { fileId: 0, pathHint: '/pushed', position, write: undefined };
      return { hash: fromHex(hashOf(data)), data, note };
    });
    const { signal } = new AbortController();
    return pushBlocks(network, { blocks, chain: chain.map(holderOf), era: 0, signal });
  }

  function holdersOf(all: readonly Uint8Array[]): number[][] {
    return all.map((data) => cluster.holdersOf(hashOf(data)).map(({ number }) => number));
  }

  it('are passed on by the first to both others, each of which answers for itself', async () => {
    const [first, ...others] = chain as [RunningDataNode, ...RunningDataNode[]];
    const asked: string[] = [];
    const request = first.network.request.bind(first.network);
    first.network.request = (peer, trafficClass, method, ...rest) => {
      if (method === WRITE_BLOCKS.name) asked.push(peer);
      return request(peer, trafficClass, method, ...rest);
    };
    const all = bytesOf('passed on');
    expect((await push(all)).map(summary)).toEqual(chain.map(({ number }) => `${number} kept`));
    first.network.request = request;
    expect(asked).toEqual(others.map(({ peer }) => peer));
    expect(holdersOf(all)).toEqual(all.map(() => chain.map(({ number }) => number)));
  });

  it('reach the third when the second is gone', async () => {
    const [first, second, third] = chain as [RunningDataNode, RunningDataNode, RunningDataNode];
    await cluster.killDataNode(second);
    const all = bytesOf('gone');
    const outcomes = await push(all);
    expect(outcomes.map(({ node }) => node)).toEqual(chain.map(({ number }) => number));
    expect(outcomes.map(({ code }) => code !== '')).toEqual([false, true, false]);
    expect(holdersOf(all)).toEqual(all.map(() => [first.number, third.number]));
  });
});

function holderOf({ number, peer }: RunningDataNode): Holder {
  return { node: number, peer, addresses: [], name: '', host: '', alive: true };
}

function summary({ node, code, failures }: NodeOutcome): string {
  return code === '' && failures.length === 0 ? `${node} kept` : `${node} ${code}`;
}
