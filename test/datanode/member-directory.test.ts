import { beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { MemberDirectory } from '../../src/datanode/member-directory.ts';
import { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';

describe('the member list of a datanode', () => {
  let directory: MemberDirectory;
  let network: MemoryNetwork;
  const list = (...peers: string[]): Member[] =>
    peers.map((peer) => Member.fromPartial({ peer, roles: ['meta'], state: 'active' }));

  beforeEach(() => {
    const clock = systemClock;
    const home = new MemorySwitch({ clock });
    network = new MemoryNetwork({ switch: home, clock, random: systemRandom }, { peer: 'self' });
    directory = new MemberDirectory({ network, clock, logger: silentLogger }, []);
  });

  it('is replaced by a later one only', () => {
    expect(directory.update(list('a', 'b'), { version: 5, epoch: 1 })).toBe(true);
    expect(directory.update(list('a'), { version: 4, epoch: 1 })).toBe(false);
    expect(directory.indexMembership().peers).toEqual(['a', 'b']);
  });

  it('is replaced by one of a later epoch, whose versions may begin lower, and by none of an earlier one', () => {
    directory.update(list('a', 'b'), { version: 500, epoch: 1 });
    expect(directory.update(list('b'), { version: 480, epoch: 2 })).toBe(true);
    expect(directory.update(list('a', 'b'), { version: 501, epoch: 1 })).toBe(false);
    expect(directory.indexMembership().peers).toEqual(['b']);
    expect(directory.epoch).toBe(2);
  });

  it('costs what has changed, however many members there are', () => {
    const learn = vi.spyOn(network, 'learn');
    directory.update(list('a', 'b', 'c'), { version: 5, epoch: 1 });
    const before = directory.members();
    expect(directory.members()).toBe(before);
    learn.mockClear();
    const [b] = list('b') as [Member];
    const moved = [{ ...b, addresses: ['/ip4/192.0.2.1/tcp/4600'] }, ...list('c')].map((member) =>
      member.peer === 'c' ? { ...member, state: 'left' } : member,
    );
    directory.update(moved, { version: 6, epoch: 1, isChange: true });
    expect(learn.mock.calls).toEqual([['b', ['/ip4/192.0.2.1/tcp/4600']]]);
    expect(directory.members().map(({ peer }) => peer)).toEqual(['a', 'b']);
    expect(directory.byPeer('b')?.addresses).toEqual(['/ip4/192.0.2.1/tcp/4600']);
    expect(directory.metadataPeers()).toEqual(['a', 'b']);
  });
});
