/** @module Which raft messages are let in: those of a run that remembers what its node said here before. */
import { expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { Message } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { MemberDirectory } from '../../src/metadata/member-directory.ts';
import { RaftTransport } from '../../src/metadata/raft-transport.ts';
import { type Incarnation, Witness } from '../../src/metadata/witness.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { memberOf, testPeer } from './cluster.ts';

const FIRST_RUN: Incarnation = { number: 2, boot: 3, id: 10, openedAt: 40 };

it('drops the votes of a node whose log was put back to before what it has said, and of no other', async () => {
  const memorySwitch = new MemorySwitch({ clock: systemClock });
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const seeds = [1, 2].map((number) => ({
    ...memberOf(testPeer(number), ['meta'], ''),
    number,
    state: 'active',
  }));
  const members = new MemberDirectory(machine, seeds);
  const networks = await Promise.all(
    [1, 2].map(async (number) => {
      const network = new MemoryNetwork(
        { switch: memorySwitch, clock: systemClock, random: systemRandom },
        { peer: testPeer(number) },
      );
      network.authorize(() => true);
      await network.start();
      return network;
    }),
  );
  const [network, other] = networks as [MemoryNetwork, MemoryNetwork];
  other.learn(network.localPeer, [memoryAddress(network.localPeer)]);
  const components = { members, logger: silentLogger };
  const epoch = (): number => 1;
  const heard: number[] = [];
  const waiting: (() => void)[] = [];
  new RaftTransport(
    { ...components, network, log: { sequence: 0 }, witness: new Witness() },
    { epoch, run: { number: 1, boot: 1, id: 1, openedAt: 0 } },
  ).listen({
    receive: ({ term }: Message) => {
      heard.push(term);
      waiting.shift()?.();
    },
    isInConfiguration: () => true,
  });
  const vote = (term: number, run: Incarnation, sequence: number): void => {
    const log = { sequence };
    const transport = new RaftTransport(
      { ...components, network: other, log, witness: new Witness() },
      { epoch, run },
    );
    transport.send([message({ type: 'MsgVoteResp', from: 2, to: 1, term })]);
  };

  const all = new Promise<void>((resolve) => waiting.push(() => {}, resolve));
  vote(1, FIRST_RUN, 55);
  // Opened with less than 55 writes: it has forgotten the vote above, or another promise.
  vote(2, { ...FIRST_RUN, boot: 4, id: 11, openedAt: 54 }, 60);
  vote(3, { ...FIRST_RUN, id: 12 }, 60);
  vote(4, { ...FIRST_RUN, boot: 4, id: 13, openedAt: 55 }, 56);
  await all;
  expect(heard).toEqual([1, 4]);
  for (const one of networks) await one.stop();
});
