/** @module Keepers that let the most endangered blocks of all go first, whoever keeps them, and wait for nobody for ever. */
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/logger.ts';
import {
  MAX_WAIT_MS,
  RepairTurns,
  type RepairTurnsComponents,
  SETTLING_MS,
  STALE_MS,
} from '../../../src/metadata/repair/repair-turns.ts';
import { ManualClock } from '../../manual-clock.ts';

type Answer = (request: { readonly body: Uint8Array }) => Promise<Uint8Array>;

const { signal } = new AbortController();
const STEP_MS = 100;

describe('keepers that repair', () => {
  let clock: ManualClock;
  let one: RepairTurns;
  let other: RepairTurns;

  beforeEach(() => {
    clock = new ManualClock();
    const peers = ['one', 'other'];
    const served = new Map<string, Answer>();
    const turnsOf = (localPeer: string): RepairTurns => {
      const network = {
        localPeer,
        onRequest: (_class: string, _name: string, answer: Answer) => served.set(localPeer, answer),
        request: (peer: string, _class: string, _name: string, body: Uint8Array) =>
          served.get(peer)?.({ body }),
      };
      const members = { withRole: () => peers.map((peer, at) => ({ peer, number: at + 1 })) };
      const components = { network, members, clock, logger: silentLogger };
      const turns = new RepairTurns(components as unknown as RepairTurnsComponents);
      turns.start();
      return turns;
    };
    [one, other] = [turnsOf('one'), turnsOf('other')];
  });

  /** What `one` may help at the end of so long a time, in which `work` is done at every step. */
  const after = async (ms: number, work: () => number): Promise<number> => {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      work();
      await clock.advance(STEP_MS);
    }
    return work();
  };
  const safe = (): number => one.limit({ fewest: 2, most: 2 }, signal);

  it('hold safer blocks back while another one helps a block with a single copy, and go on when it has', async () => {
    const single = (): number => other.limit({ fewest: 1, most: 1 }, signal);
    expect(await after(SETTLING_MS, () => (single(), safe()))).toBe(1);
    expect(await after(MAX_WAIT_MS / 2, () => (single(), safe()))).toBe(1);
    other.rest();
    expect(await after(2 * STEP_MS, safe)).toBe(2);
  });

  it('work side by side when their blocks are in equal danger', async () => {
    const equal = (): number => other.limit({ fewest: 2, most: 2 }, signal);
    expect(await after(SETTLING_MS, () => (equal(), safe()))).toBe(2);
  });

  it('hear each other out before they help any but single copies', async () => {
    expect(one.limit({ fewest: 1, most: 3 }, signal)).toBe(1);
    one.rest();
    expect(await after(SETTLING_MS - STEP_MS, safe)).toBe(1);
    expect(await after(STEP_MS, safe)).toBe(2);
  });

  it('hold their own safer blocks back, too', async () => {
    expect(await after(SETTLING_MS, () => one.limit({ fewest: 1, most: 3 }, signal))).toBe(1);
  });

  it('wait for a bounded time, then help all their blocks until nobody is more endangered', async () => {
    const both = (): number => (other.limit({ fewest: 1, most: 1 }, signal), safe());
    expect(await after(MAX_WAIT_MS - STEP_MS, both)).toBe(1);
    expect(await after(STEP_MS, both)).toBe(2);
    expect(await after(MAX_WAIT_MS, both)).toBe(2);
  });

  it('do not wait for one that has stopped repairing without a word', async () => {
    other.limit({ fewest: 1, most: 1 }, signal);
    expect(await after(STALE_MS - STEP_MS, safe)).toBe(1);
    expect(await after(3 * STEP_MS, safe)).toBe(2);
  });
});
