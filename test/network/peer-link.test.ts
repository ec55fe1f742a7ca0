/** @module The link to a peer that is away: how often it is tried, and how soon its return is noticed. */
import { expect, it } from 'vitest';
import { utf8 } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { PeerLink } from '../../src/network/peer-link.ts';
import { ReceiveBudget } from '../../src/network/receive-budget.ts';
import { ManualClock } from '../manual-clock.ts';

const STEP_MS = 10;
const AWAY_MS = 20_000;
/** The longest pause, what chance adds to it, and a step of the clock. */
const SOON_MS = 800 + 100 + STEP_MS;

it('dials at once, then ever more seldom, but often enough to find a peer within a second of its return', async () => {
  const clock = new ManualClock();
  const dials: number[] = [];
  const connect = (): Promise<never> => {
    dials.push(clock.monotonicMs());
    return Promise.reject(new Error('nobody is there'));
  };
  const budget = new ReceiveBudget({ limitBytes: 0 });
  const link = new PeerLink(
    { connect, clock, random: systemRandom, logger: silentLogger, budget },
    { peer: 'away', trafficClass: 'control' },
  );
  while (clock.monotonicMs() < AWAY_MS) {
    const asked = link.request('echo', utf8('x'));
    await expect(asked).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', kind: 'unavailable' });
    await clock.advance(STEP_MS);
  }
  const pauses = dials.slice(1).map((atMs, at) => atMs - (dials[at] ?? 0));
  expect(dials[0]).toBe(0);
  expect(pauses[0]).toBeGreaterThanOrEqual(50);
  expect(pauses[0]).toBeLessThanOrEqual(50 + 100 + STEP_MS);
  // Its connections would otherwise be all that a client, or a cluster, does.
  expect(Math.min(...pauses.slice(-10))).toBeGreaterThanOrEqual(800);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(SOON_MS);
  expect(clock.pendingTimers).toBe(0);
});
