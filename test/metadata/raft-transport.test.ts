/** @module Which raft messages are let in: those of this epoch, of a run that remembers what its node said here before; and how they go. */
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
import type { Network } from '../../src/network/network.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { RaftMessages } from '../../src/protocol/messages.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { memberOf, testPeer } from './cluster.ts';

const FIRST_RUN: Incarnation = { number: 2, boot: 3, id: 10, openedAt: 40 };

interface Vote {
  readonly term: number;
  readonly run?: Incarnation;
  readonly sequence?: number;
  readonly epoch?: number;
}

/** Sends `votes` of node 2 to node 1, which is in epoch 1; returns the terms of those that were let in. The last one must be. */
async function heardOf(votes: readonly Vote[]): Promise<number[]> {
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
  const heard: number[] = [];
  const last = Promise.withResolvers<void>();
  new RaftTransport(
    { ...components, network, log: { sequence: 0 }, witness: new Witness() },
    { epoch: () => 1, run: { number: 1, boot: 1, id: 1, openedAt: 0 } },
  ).listen({
    receive: ({ term }: Message) => {
      heard.push(term);
      if (term === votes.at(-1)?.term) last.resolve();
    },
    isInConfiguration: () => true,
    renumbered: () => {},
  });
  for (const { term, run = FIRST_RUN, sequence = 60, epoch = 1 } of votes)
    new RaftTransport(
      { ...components, network: other, log: { sequence }, witness: new Witness() },
      { epoch: () => epoch, run },
    ).send([message({ type: 'MsgVoteResp', from: 2, to: 1, term })]);
  await last.promise;
  for (const one of networks) await one.stop();
  return heard;
}

it('drops the votes of a node whose log was put back to before what it has said, and of no other', async () => {
  const heard = await heardOf([
    { term: 1, sequence: 55 },
    // Opened with less than 55 writes: it has forgotten the vote above, or another promise.
    { term: 2, run: { ...FIRST_RUN, boot: 4, id: 11, openedAt: 54 } },
    { term: 3, run: { ...FIRST_RUN, id: 12 } },
    { term: 4, run: { ...FIRST_RUN, boot: 4, id: 13, openedAt: 55 }, sequence: 56 },
  ]);
  expect(heard).toEqual([1, 4]);
});

it('drops what is of another epoch: it is about another log', async () => {
  const heard = await heardOf([
    { term: 1, epoch: 2 },
    { term: 2 },
    { term: 3, epoch: 3 },
    // Of a release that knows no epochs.
    { term: 4, epoch: 0 },
  ]);
  expect(heard).toEqual([2, 4]);
});

it('knows a peer by the last number that it is said to have: one that lost its log comes back under a new one', async () => {
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const former = { ...memberOf(testPeer(1), ['meta'], ''), number: 1, state: 'active' };
  const members = new MemberDirectory(machine, [former]);
  members.learn({ ...former, number: 12 });
  members.learn({ ...former, number: 1 });
  expect(members.byPeer(testPeer(1))?.number).toBe(12);
});

it('sends what is large in parts, so that nothing waits long behind it, and calls a node lost of which one part did not go', async () => {
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const seeds = [1, 2, 3].map((number) => ({
    ...memberOf(testPeer(number), ['meta'], ''),
    number,
    state: 'active',
  }));
  const notices: string[] = [];
  const notify = (...[peer, , , body]: Parameters<Network['notify']>): boolean => {
    const { messages } = RaftMessages.decode(body);
    notices.push(`${seeds.find((seed) => seed.peer === peer)?.number}: ${messages.length}`);
    return notices.at(-1) !== '3: 2';
  };
  const transport = new RaftTransport(
    {
      network: { notify } as unknown as Network,
      members: new MemberDirectory(machine, seeds),
      log: { sequence: 0 },
      witness: new Witness(),
      logger: silentLogger,
    },
    { epoch: () => 1, run: FIRST_RUN },
  );
  const data = new Uint8Array(900 * 1024);
  const append = (to: number, index: number): Message =>
    message({
      type: 'MsgApp',
      from: 1,
      to,
      term: 1,
      entries: [{ term: 1, index, type: 'EntryNormal', data }],
    });
  const lost = transport.send([1, 2, 3, 4, 5].flatMap((index) => [append(2, index), append(3, index)]));
  expect(notices).toEqual(['2: 2', '2: 2', '2: 1', '3: 2']);
  expect([...lost]).toEqual([3]);
});
