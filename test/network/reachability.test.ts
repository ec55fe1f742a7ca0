import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { Reachability, type ReachabilityComponents } from '../../src/network/reachability.ts';
import { eventually } from '../e2e/support/eventually.ts';

const running: Reachability[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map((reachability) => reachability.stop()));
});

interface Watched {
  readonly reachability: Reachability;
  readonly reserved: Set<string>;
  /** isReachable, each time something was said to have changed. */
  readonly told: boolean[];
}

/** `verdicts`: what each metadata node says when asked whether it can dial us; undefined: it does not say. */
function watch(
  verdicts: Readonly<Record<string, boolean | undefined>>,
  others: Partial<ReachabilityComponents> = {},
): Watched {
  const reserved = new Set<string>();
  const told: boolean[] = [];
  const reachability: Reachability = new Reachability({
    localPeer: 'self',
    isAnybodyThere: () => true,
    relays: () => Object.keys(verdicts),
    addresses: () => ['/ip4/10.0.0.2/tcp/4600'],
    isNear: () => false,
    dialBack: async (relay) => verdicts[relay] ?? Promise.reject(new Error('it does not say')),
    hasPlace: (relay) => reserved.has(relay),
    reserve: async (relay) => void reserved.add(relay),
    isShut: () => undefined,
    changed: () => void told.push(reachability.isReachable),
    logger: silentLogger,
    ...others,
  });
  running.push(reachability);
  reachability.start();
  return { reachability, reserved, told };
}

describe('a node', () => {
  it('takes places on three relays when a single metadata node cannot dial it', async () => {
    const { reachability, reserved } = watch({ a: true, b: false, c: true, d: true });
    await eventually('it has three places', 5_000, () => (reserved.size === 3 ? true : undefined));
    expect([...reachability.relays()].toSorted()).toEqual([...reserved].toSorted());
  });

  it('asks for one place after the other, and goes on when a relay never answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const asked: string[] = [];
    const reserve = (relay: string): Promise<void> => {
      asked.push(relay);
      return new Promise(() => {});
    };
    const { reachability } = watch({ a: false, b: false }, { reserve });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_001);
    await reachability.stop();
    expect(asked.toSorted()).toEqual(['a', 'b']);
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

describe('whether others find a way to a node', () => {
  it('is known from the first look on where a metadata node of the same private network sees it', () => {
    const { reachability } = watch({ a: undefined }, { isNear: () => true });
    expect(reachability.isReachable).toBe(true);
  });

  it('is no question where there is no other metadata node', () => {
    const { reachability } = watch({}, { isAnybodyThere: () => false });
    expect(reachability.isReachable).toBe(true);
  });

  it('is denied until one has dialled it, and told when one has', async () => {
    const { reachability, told } = watch({ a: true });
    expect(reachability.isReachable).toBe(false);
    await reachability.stop();
    expect(told).toEqual([false, true]);
  });

  it('is denied, where none can dial it, until it has a place on a relay', async () => {
    const places = Promise.withResolvers<void>();
    const reserved = new Set<string>();
    let isNear = false;
    const { reachability, told } = watch(
      { a: false },
      {
        // Of a neighbour, too, once somebody who tried knows better.
        isNear: () => isNear,
        hasPlace: (relay) => reserved.has(relay),
        reserve: async (relay) => {
          await places.promise;
          reserved.add(relay);
        },
      },
    );
    await eventually('it knows', 5_000, () => (reachability.isPrivate ? true : undefined));
    isNear = true;
    await eventually('it says so', 5_000, () => (reachability.isReachable ? undefined : true));
    places.resolve();
    await reachability.stop();
    expect([reachability.isReachable, told.at(-1)]).toEqual([true, true]);
  });

  it('is taken for true again when nobody has said anything for ten seconds', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { reachability } = watch({ a: undefined });
    vi.advanceTimersByTime(9_999);
    expect(reachability.isReachable).toBe(false);
    vi.advanceTimersByTime(1);
    expect(reachability.isReachable).toBe(true);
  });

  it('stays as it was while metadata nodes are away, and is denied to one that needs a relay until it has a place again', async () => {
    const open = watch({ a: true });
    const shut = watch({ a: false });
    await Promise.all([open, shut].map(({ reachability }) => reachability.stop()));
    for (const { reachability, reserved } of [open, shut]) {
      reachability.forget('a');
      reserved.clear();
    }
    expect([open, shut].map(({ reachability }) => reachability.isReachable)).toEqual([true, false]);
  });

  it('is asked at once of a stranger, and later where the answer can wait', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const asked: string[] = [];
    const dialBack = async (relay: string): Promise<boolean> => asked.push(relay) > 0;
    const open = watch({ a: true }, { dialBack });
    await open.reachability.stop();
    expect(asked).toEqual(['a']);
    // The metadata node was restarted.
    open.reachability.forget('a');
    open.reachability.start();
    const near = watch({ b: true }, { dialBack, isNear: () => true });
    await near.reachability.stop();
    await open.reachability.stop();
    expect(asked).toEqual(['a']);
    vi.advanceTimersByTime(15_000);
    for (const { reachability } of [open, near]) {
      reachability.start();
      await reachability.stop();
    }
    expect(asked).toEqual(['a', 'a', 'b']);
  });
});
