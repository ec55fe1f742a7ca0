/** @module What a visit says of a node by its addresses alone. */
import { expect, it } from 'vitest';
import type { ClientContext } from '../../src/client/client-context.ts';
import { visitNodes } from '../../src/client/node-visit.ts';
import { systemClock } from '../../src/common/clock.ts';
import { Member } from '../../src/namespace/schema.ts';

const OWN = '/ip4/192.168.1.5/tcp/4600/p2p/N';
const RELAYED = '/p2p/R/p2p-circuit/p2p/N';

it('knows a node that some metadata node cannot dial by its places on relays, which stand beside its own addresses', async () => {
  const members = [[OWN], [OWN, RELAYED], [RELAYED]].map((addresses, at) =>
    Member.fromPartial({ number: at + 1, peer: `N${at}`, roles: ['data'], addresses }),
  );
  const context = {
    metadata: { ask: async () => ({ members }) },
    network: { isConnected: () => true, request: () => Promise.reject(new Error('nobody there')) },
    clock: systemClock,
  };
  const visits = await visitNodes(context as unknown as ClientContext);
  expect(visits.map(({ isBehindRelays }) => isBehindRelays)).toEqual([false, true, true]);
});
