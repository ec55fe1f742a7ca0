/** @module Which metadata node a datanode asks first, and whom then. */
import { describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../src/common/clock.ts';
import { silentLogger as logger } from '../../src/common/logger.ts';
import { systemRandom as random } from '../../src/common/random.ts';
import { askMetadata } from '../../src/datanode/metadata-question.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import { HELLO } from '../../src/protocol/methods.ts';

const METADATA = ['m1', 'm2', 'm3'];
const ASKERS = 48;

describe('a question that any metadata node can answer', () => {
  const home = new MemorySwitch({ clock });
  const join = async (peer: string): Promise<MemoryNetwork> => {
    const network = new MemoryNetwork({ switch: home, clock, random }, { peer });
    network.authorize(() => true);
    await network.start();
    return network;
  };

  it('goes to another one first from each datanode, and to the next when that is gone', async () => {
    const asked = new Map(METADATA.map((peer) => [peer, 0]));
    const nodes = await Promise.all(METADATA.map(join));
    for (const node of nodes)
      serve(node, HELLO, async () => {
        asked.set(node.localPeer, (asked.get(node.localPeer) ?? 0) + 1);
        return { wallMs: 1 };
      });
    const askers = await Promise.all(Array.from({ length: ASKERS }, (_, at) => join(`d${at}`)));
    const members = { metadataPeers: () => METADATA };
    const askAll = (): Promise<unknown> =>
      Promise.all(
        askers.map((network) =>
          askMetadata({ network, members, logger }, HELLO, {}, new AbortController().signal),
        ),
      );
    await askAll();
    // A third each; fewer than a sixth would be one of ten thousand draws.
    expect(Math.min(...asked.values())).toBeGreaterThanOrEqual(ASKERS / 6);
    await nodes[0]?.stop();
    await askAll();
    expect([...asked.values()].reduce((sum, count) => sum + count)).toBe(2 * ASKERS);
    for (const network of [...askers, ...nodes.slice(1)]) await network.stop();
  });
});
