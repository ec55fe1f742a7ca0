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

it.each([
  ['failed: it is probed where its log is known to match', false, 2],
  ['arrived: it is probed behind the snapshot', true, 4],
])(
  'a follower is sent nothing more before its next sign of life when a snapshot %s',
  (_what, succeeded, next) => {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = (m) => m.from === 3 || m.to === 3;
    for (const text of ['x', 'y']) {
      leader.raw.propose(bytes(text));
      cluster.settle();
    }
    leader.storage.createSnapshot(3, leader.raw.status().confState, bytes(''));
    leader.storage.compact(3);
    cluster.drops = (m) => m.type === 'MsgSnap';
    leader.raw.tick();
    cluster.settle();
    const third = () => leader.raw.status().progress.find(({ id }) => id === 3);
    expect(third()).toMatchObject({ match: 1, state: 'StateSnapshot', pendingSnapshot: 3 });
    leader.raw.reportSnapshot(3, succeeded);
    expect(third()).toMatchObject({ state: 'StateProbe', next, paused: true, pendingSnapshot: 0 });
    const sent: Message[] = [];
    cluster.drops = (m) => sent.push(m) === 0;
    leader.raw.propose(bytes('z'));
    cluster.settle();
    expect(sent.filter(({ to }) => to === 3)).toEqual([]);
    leader.raw.tick();
    cluster.settle();
    expect(cluster.node(3).log()).toEqual(['1/4']);
  },
);
