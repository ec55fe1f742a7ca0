/** @module `cluster members`, and how nodes are named. */
import { describe, expect, it } from 'vitest';
import { nodeLines } from '../../cli/cluster-members.ts';
import { memberNumber } from '../../cli/member-name.ts';
import type { Client } from '../../src/client/client.ts';
import { StatusResponse } from '../../src/protocol/messages.ts';

const signal = new AbortController().signal;

describe('the members', () => {
  it('are one line each, also with both roles, with the lag of each log that is known', () => {
    const both = { number: 1, name: 'a', roles: ['meta', 'data'], addresses: ['/ip4/10.0.0.1/tcp/4600'] };
    const lines = nodeLines(
      StatusResponse.fromPartial({
        commit: 100,
        metadataNodes: [
          {
            member: both,
            raftRole: 'leader',
            reachable: true,
            position: { lastIndex: 101, version: '1.2.3' },
          },
          {
            member: { number: 2, name: 'b' },
            raftRole: 'learner',
            reachable: true,
            position: { lastIndex: 90 },
          },
          { member: { number: 3, name: 'c' }, raftRole: 'voter', reachable: false },
        ],
        dataNodes: [
          { member: both, liveness: 'alive' },
          { member: { number: 4, name: 'd' }, liveness: 'suspect' },
        ],
      }),
    );
    expect(lines.map(({ number, raft, state, match, lag }) => [number, raft, state, match, lag])).toEqual([
      [1, 'leader', 'alive', 101, 0],
      [4, '', 'suspect', undefined, undefined],
      [2, 'learner', 'alive', 90, 10],
      [3, 'voter', 'dead', undefined, undefined],
    ]);
    expect(lines[0]).toMatchObject({ version: '1.2.3', roles: ['meta', 'data'] });
  });
});

describe('a node', () => {
  const members = [
    { number: 1, name: 'a', state: 'active', roles: ['meta'] },
    { number: 2, name: 'b', state: 'left', roles: ['data'] },
    { number: 3, name: 'b', state: 'active', roles: ['data'] },
    { number: 4, name: 'c', state: 'active', roles: ['data'] },
    { number: 5, name: 'c', state: 'active', roles: ['data'] },
    { number: 6, name: 'me', state: 'active', roles: ['client'] },
  ];
  const client = { members: () => Promise.resolve({ members }) } as unknown as Client;

  it('is meant by its number, or by a name that only one active node has', async () => {
    expect(await memberNumber(client, '17', signal)).toBe(17);
    expect(await memberNumber(client, 'b', signal)).toBe(3);
    for (const name of ['c', 'me', 'nobody', '99999999999999999999'])
      await expect(memberNumber(client, name, signal)).rejects.toMatchObject({ code: 'CLI_USAGE' });
  });
});
