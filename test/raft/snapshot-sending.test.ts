import { expect, it } from 'vitest';
import type { Message } from '../../raft/types.ts';
import { bytes, ELECTION_TICKS, ManualCluster } from '../../simulations/manual-raft.ts';

it('no snapshot is sent to a follower that nothing was heard of lately: it may be dead', () => {
  const cluster = ManualCluster.of(3, { checkQuorum: true });
  const leader = cluster.elect(1);
  const sent: Message[] = [];
  cluster.drops = (m) => sent.push(m) > 0 && (m.from === 3 || m.to === 3);
  const write = (): void => {
    leader.raw.propose(bytes('x'));
    cluster.settle();
  };
  write();
  for (let i = 0; i < 2 * ELECTION_TICKS; i++) {
    leader.raw.tick();
    cluster.settle();
  }
  leader.storage.createSnapshot(2, leader.raw.status().confState, bytes(''));
  leader.storage.compact(2);
  leader.raw.reportUnreachable(3);
  write();
  expect(sent.filter(({ type }) => type === 'MsgSnap')).toEqual([]);
  cluster.drops = (m) => sent.push(m) === 0;
  leader.raw.tick();
  cluster.settle();
  expect(sent.filter(({ type }) => type === 'MsgSnap').map(({ to }) => to)).toEqual([3]);
});
