/** @module How long a client waits for a sign of life of a metadata node that owes it an answer. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LONGEST_SIGN_LIMIT_MS, PeerPulse, SIGN_LIMIT_MS, SILENCE_MS } from '../../src/client/peer-pulse.ts';
import { timedOut } from '../../src/network/errors.ts';
import type { CallOptions, Network } from '../../src/network/network.ts';
import { MembersResponse } from '../../src/protocol/messages.ts';
import { ManualClock } from '../manual-clock.ts';

/** It looks every so often, so that it notices that much later. */
const LOOK_MS = 100;

let clock: ManualClock;
let pulse: PeerPulse;
/** Those that give a sign of life when asked for one. */
let lively: string[];

beforeEach(() => {
  clock = new ManualClock();
  lively = [];
  const network = {
    request: (peer: string, _class: string, method: string, _body: Uint8Array, options?: CallOptions) =>
      new Promise<Uint8Array>((resolve, reject) => {
        const { timeoutMs = 0 } = options ?? {};
        if (lively.includes(peer)) resolve(MembersResponse.encode(MembersResponse.create()).finish());
        else clock.after(timeoutMs, () => reject(timedOut(peer, method, timeoutMs)));
      }),
  } as unknown as Network;
  pulse = new PeerPulse({ network, clock });
});

/** Milliseconds until what `peer` owes is given up. */
async function patienceWith(peer: string): Promise<number> {
  const startMs = clock.monotonicMs();
  const given: number[] = [];
  pulse.attend(peer, new Promise(() => {})).catch(() => given.push(clock.monotonicMs() - startMs));
  while (given.length === 0) await clock.advance(50);
  return given[0] ?? 0;
}

describe('the patience with a silent metadata node', () => {
  it('is short while others answer', async () => {
    for (let time = 0; time < 3; time++) {
      expect(await patienceWith('a')).toBeLessThanOrEqual(SILENCE_MS + SIGN_LIMIT_MS + LOOK_MS);
      await pulse.attend('b', Promise.resolve());
    }
  });

  it('grows while one after the other is silent, up to a bound, and is short again after an answer', async () => {
    const waited: number[] = [];
    for (const peer of ['a', 'b', 'c', 'd', 'e', 'f']) waited.push(await patienceWith(peer));
    expect(waited).toEqual(waited.toSorted((a, b) => a - b));
    expect(waited[1]).toBeGreaterThan(2 * SIGN_LIMIT_MS);
    expect(waited.at(-1)).toBeLessThanOrEqual(SILENCE_MS + LONGEST_SIGN_LIMIT_MS + LOOK_MS);
    await pulse.attend('a', Promise.resolve());
    expect(await patienceWith('b')).toBeLessThanOrEqual(SILENCE_MS + SIGN_LIMIT_MS + LOOK_MS);
  });

  it('has no end while the node gives signs of life', async () => {
    lively = ['a'];
    const answer = Promise.withResolvers<string>();
    const attended = pulse.attend('a', answer.promise);
    await clock.advance(10_000);
    answer.resolve('late');
    expect(await attended).toBe('late');
  });
});
