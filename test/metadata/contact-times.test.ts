import { describe, expect, it } from 'vitest';
import type { Status } from '../../raft/raw-node.ts';
import { ContactTimes, MAX_LISTENING_STEP_MS } from '../../src/metadata/contact-times.ts';

/** A leader's view of node 2. */
function seen(recentActive: boolean, { term = 1, match = 5 } = {}): Status {
  const progress = [1, 2].map((id) => ({ id, match, recentActive: id === 1 || recentActive }));
  return { id: 1, term, raftState: 'StateLeader', progress } as unknown as Status;
}

describe('the silence of a member', () => {
  it('grows while nothing is heard, and ends with the first sign of life', () => {
    const contacts = new ContactTimes();
    contacts.observe(seen(true), 1_000);
    contacts.observe(seen(false), 1_150);
    contacts.observe(seen(false), 1_300);
    expect(contacts.silentMs(2)).toBe(300);
    contacts.observe(seen(false, { match: 6 }), 1_400);
    expect(contacts.silentMs(2)).toBe(0);
  });

  it('is not held against it while this process itself stood still', () => {
    const contacts = new ContactTimes();
    contacts.observe(seen(true), 1_000);
    contacts.observe(seen(false), 3_600_000);
    expect(contacts.silentMs(2)).toBe(MAX_LISTENING_STEP_MS);
    expect(contacts.isAlive(2)).toBe(true);
  });

  it('counts as far as this process got the processor to listen, but such a member is not relied upon', () => {
    const contacts = new ContactTimes();
    contacts.observe(seen(true), 1_000);
    for (let nowMs = 1_800; nowMs <= 5_000; nowMs += 800) contacts.observe(seen(false), nowMs);
    expect(contacts.silentMs(2)).toBe(5 * MAX_LISTENING_STEP_MS);
    expect(contacts.isAlive(2)).toBe(false);
  });

  it('is counted anew by each leader, which takes nobody for alive whom it has not heard', () => {
    const contacts = new ContactTimes();
    contacts.observe(seen(true), 1_000);
    expect(contacts.isAlive(2)).toBe(true);
    contacts.observe(seen(false, { term: 2, match: 0 }), 1_900);
    expect(contacts.silentMs(2)).toBe(0);
    expect(contacts.isAlive(2)).toBe(false);
  });
});
