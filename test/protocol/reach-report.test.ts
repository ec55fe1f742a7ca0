import { describe, expect, it } from 'vitest';
import { reportReach, sumReach } from '../../src/protocol/reach-report.ts';

const members = [
  { peer: 'm', roles: ['meta'] },
  { peer: 'both', roles: ['meta', 'data'] },
  { peer: 'd', roles: ['data'] },
];

describe('a report of how peers are reached', () => {
  it('has a line for each kind of peer and path; what was relayed counts on when the peer is gone', () => {
    const report = reportReach(
      'data',
      [
        { peer: 'm', path: 'direct', isOpen: true, relayedBytes: 0 },
        { peer: 'both', path: 'punched', isOpen: true, relayedBytes: 5 },
        { peer: 'd', path: 'punched', isOpen: true, relayedBytes: 0 },
        { peer: 'somebody', path: 'relayed', isOpen: false, relayedBytes: 7 },
      ],
      (peer) => members.find((member) => member.peer === peer),
    );
    expect(report).toEqual([
      { from: 'data', to: 'client', path: 'relayed', peers: 0, relayedBytes: 7 },
      { from: 'data', to: 'data', path: 'punched', peers: 2, relayedBytes: 5 },
      { from: 'data', to: 'meta', path: 'direct', peers: 1, relayedBytes: 0 },
    ]);
    expect(sumReach([...report, ...report])[1]).toMatchObject({ peers: 4, relayedBytes: 10 });
  });
});
