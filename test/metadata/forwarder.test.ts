import { expect, it } from 'vitest';
import type { NodeId } from '../../raft/types.ts';
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
import type { Network } from '../../src/network/network.ts';
import { ForwardResponse } from '../../src/protocol/messages.ts';
import { settle } from '../manual-clock.ts';
import { memberOf, testPeer } from './cluster.ts';

const COMMAND = prepareCommand({ session: 's', sequence: 1, ackedBelow: 1, command: undefined });
/** Batches under way at once (forwarder.ts), and one that waits. */
const MORE_THAN_FLY = 5;
/** Commands that wait to be sent. */
const MORE_THAN_WAIT = 10_000;

const member = (number: NodeId) => ({
  ...memberOf(testPeer(number), ['meta'], ''),
  number,
  state: 'active',
});

it.each([
  ['at the door', false],
  ['by the method', true],
])(
  'sends clients elsewhere when the leader turns this node away %s: it was removed, and they were not',
  async (_where, isLetIn) => {
    const home = new MemorySwitch({ clock: systemClock });
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
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

    const forwarder = new Forwarder({ network: self, members: new MemberDirectory(machine, [member(1)]) });
    await expect(forwarder.forward(1, COMMAND)).rejects.toMatchObject({
      code: 'METADATA_NOT_A_MEMBER',
      kind: 'unavailable',
    });
    await Promise.all([network.stop(), self.stop()]);
  },
);

it('says of what had not left for a deposed leader that nothing happened, and of the rest that nobody knows', async () => {
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const asked: string[] = [];
  const request = (...[peer, , , , options]: Parameters<Network['request']>): Promise<Uint8Array> => {
    asked.push(peer);
    const answer = { results: [{ kind: undefined }], index: 7 };
    if (peer === testPeer(2)) return Promise.resolve(ForwardResponse.encode(answer).finish());
    // As a process that stands still: it takes what comes, and never answers.
    return new Promise((_, reject) => {
      options?.signal?.addEventListener('abort', () => reject(new Error('given up')));
    });
  };
  const network = { request } as unknown as Network;
  const members = new MemberDirectory(machine, [member(1), member(2)]);
  const forwarder = new Forwarder({ network, members });
  const outcomes: string[] = [];
  for (let count = 0; count < MORE_THAN_FLY; count += 1) {
    forwarder.forward(1, COMMAND).catch(({ code }) => outcomes.push(code));
    // Each in a batch of its own.
    await settle();
  }
  expect(asked).toHaveLength(MORE_THAN_FLY - 1);
  forwarder.leaderChanged(2);
  expect(await forwarder.forward(2, COMMAND)).toMatchObject({ index: 7 });
  await settle();
  expect(outcomes.toSorted()).toEqual([
    'METADATA_NOT_LEADER',
    ...Array.from({ length: MORE_THAN_FLY - 1 }, () => 'METADATA_OUTCOME_UNKNOWN'),
  ]);
  expect(asked.filter((peer) => peer === testPeer(1))).toHaveLength(MORE_THAN_FLY - 1);
});

it('refuses at once what it has no room for, of which nothing was sent, and nothing else', async () => {
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const network = { request: () => new Promise(() => {}) } as unknown as Network;
  const forwarder = new Forwarder({ network, members: new MemberDirectory(machine, [member(1)]) });
  const calls = Array.from({ length: MORE_THAN_WAIT }, () => forwarder.forward(1, COMMAND));
  const codes: string[] = [];
  for (const call of calls) call.catch(({ code }) => codes.push(code));
  await settle();
  expect(codes.length).toBeGreaterThan(0);
  expect(codes.length).toBeLessThan(MORE_THAN_WAIT / 2);
  expect(new Set(codes)).toEqual(new Set(['METADATA_OVERLOADED']));
});
