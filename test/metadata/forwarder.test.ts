import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { systemRandom } from '../../src/common/random.ts';
import { notAllowed } from '../../src/metadata/errors.ts';
import { Forwarder } from '../../src/metadata/forwarder.ts';
import { MemberDirectory } from '../../src/metadata/member-directory.ts';
import { prepareCommand } from '../../src/metadata/proposal-queue.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import { FORWARD } from '../../src/protocol/methods.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { memberOf, testPeer } from './cluster.ts';

it.each([
  ['at the door', false],
  ['by the method', true],
])(
  'sends clients elsewhere when the leader turns this node away %s: it was removed, and they were not',
  async (_where, isLetIn) => {
    const home = new MemorySwitch({ clock: systemClock });
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    const leader = { ...memberOf(testPeer(1), ['meta'], ''), number: 1, state: 'active' };
    const [network, self] = [1, 2].map(
      (number) =>
        new MemoryNetwork(
          { switch: home, clock: systemClock, random: systemRandom },
          { peer: testPeer(number) },
        ),
    ) as [MemoryNetwork, MemoryNetwork];
    network.authorize(() => isLetIn);
    serve(network, FORWARD, () => Promise.reject(notAllowed('only a metadata node may forward commands')));
    await Promise.all([network.start(), self.start()]);

    const forwarder = new Forwarder({ network: self, members: new MemberDirectory(machine, [leader]) });
    const command = prepareCommand({ session: 's', sequence: 1, ackedBelow: 1, command: undefined });
    await expect(forwarder.forward(1, command)).rejects.toMatchObject({
      code: 'METADATA_NOT_A_MEMBER',
      kind: 'unavailable',
    });
    await Promise.all([network.stop(), self.stop()]);
  },
);
