/** @module Who may open a stream to a metadata node. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MemberAuthorizer, type MemberAuthorizerComponents } from '../../src/metadata/member-authorizer.ts';
import { ACTIVE } from '../../src/metadata/member-directory.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { TrafficClass } from '../../src/network/network.ts';

const CLASSES: readonly TrafficClass[] = ['raft', 'control', 'bulk'];
const PEER = 'peer-1';

/** The classes that a member of this kind may open. */
async function admitted(state: string, role: string, inConfiguration: boolean): Promise<TrafficClass[]> {
  const member = { number: 1, peer: PEER, roles: [role], state } as Member;
  const authorizer = new MemberAuthorizer({
    members: {
      byPeer: () => member,
      activeByPeer: () => (state === ACTIVE ? member : undefined),
      learn: () => {},
      withRole: () => [],
    },
    barrier: { wait: () => Promise.resolve() },
    driver: { leader: 1, isInConfiguration: () => inConfiguration },
    clock: systemClock,
    logger: silentLogger,
  } as unknown as MemberAuthorizerComponents);
  const answers = await Promise.all(CLASSES.map((each) => authorizer.authorize(PEER, each)));
  return CLASSES.filter((_, position) => answers[position]);
}

describe('who may speak to a metadata node', () => {
  it('is any active member, and of raft a metadata node', async () => {
    expect(await admitted(ACTIVE, 'meta', true)).toEqual(CLASSES);
    expect(await admitted(ACTIVE, 'data', false)).toEqual(['control', 'bulk']);
  });

  it('is a removed metadata node until its removal from the configuration is committed: it may lead, and asks who can', async () => {
    expect(await admitted('left', 'meta', true)).toEqual(['raft', 'control']);
    expect(await admitted('left', 'meta', false)).toEqual([]);
  });
});
