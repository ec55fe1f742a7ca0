import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { Reachability } from '../../src/network/reachability.ts';
import { eventually } from '../e2e/support/eventually.ts';

const running: Reachability[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((reachability) => reachability.stop()));
});

/** `verdicts`: what each metadata node says when asked whether it can dial us. */
function watch(verdicts: Readonly<Record<string, boolean>>): {
  readonly reachability: Reachability;
  readonly reserved: Set<string>;
} {
  const reserved = new Set<string>();
  const reachability = new Reachability({
    localPeer: 'self',
    relays: () => Object.keys(verdicts),
    addresses: () => ['/ip4/10.0.0.2/tcp/4600'],
    dialBack: async (relay) => verdicts[relay] ?? false,
    hasPlace: (relay) => reserved.has(relay),
    reserve: async (relay) => void reserved.add(relay),
    isShut: () => undefined,
    changed: () => undefined,
    logger: silentLogger,
  });
  running.push(reachability);
  reachability.start();
  return { reachability, reserved };
}

describe('a node', () => {
  it('takes places on three relays when a single metadata node cannot dial it', async () => {
    const { reachability, reserved } = watch({ a: true, b: false, c: true, d: true });
    await eventually('it has three places', 5_000, () => (reserved.size === 3 ? true : undefined));
    expect([...reachability.relays()].toSorted()).toEqual([...reserved].toSorted());
  });

  it('announces no relay when every metadata node can dial it', async () => {
    const { reachability, reserved } = watch({ a: true, b: true });
    await reachability.stop();
    expect([reachability.isPrivate, reachability.relays(), reserved.size]).toEqual([false, [], 0]);
  });

  it('announces none any more once the one that could not dial it has forgotten that', async () => {
    const { reachability } = watch({ a: false });
    await eventually('it has a place', 5_000, () => (reachability.relays().length === 1 ? true : undefined));
    reachability.forget('a');
    expect(reachability.relays()).toEqual([]);
  });
});
