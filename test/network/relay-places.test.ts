/** @module Places on relays: few of many, one question at a time, and one that fails keeps nobody from the next. */
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { RelayPlaces } from '../../src/network/relay-places.ts';

const RELAYS = ['a', 'b', 'c', 'd', 'e'];
const PLACES = 3;

function open(
  localPeer: string,
  refusing: readonly string[] = [],
): { places: RelayPlaces; asked: string[]; most: () => number } {
  const asked: string[] = [];
  const granted = new Set<string>();
  let underWay = 0;
  let most = 0;
  const places = new RelayPlaces({
    localPeer,
    relays: () => RELAYS,
    hasPlace: (relay) => granted.has(relay),
    async reserve(relay) {
      asked.push(relay);
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay -= 1;
      if (refusing.includes(relay)) throw new Error('full');
      granted.add(relay);
    },
    logger: silentLogger,
  });
  return { places, asked, most: () => most };
}

describe('places on relays', () => {
  it('are taken on three of many, one after the other: libp2p forgets who waits', async () => {
    const { places, asked, most } = open('node');
    await places.take();
    expect(asked).toHaveLength(PLACES);
    expect(most()).toBe(1);
    expect(places.taken()).toEqual(asked);
  });

  it('are not asked for twice', async () => {
    const { places, asked } = open('node');
    await places.take();
    await places.take();
    expect(asked).toHaveLength(PLACES);
  });

  it('are had of the others where one grants none, which is asked again', async () => {
    const first = open('node');
    await first.places.take();
    const [refusing = ''] = first.asked;
    const { places, asked } = open('node', [refusing]);
    await places.take();
    await places.take();
    expect(places.taken()).toEqual(first.asked.slice(1));
    expect(asked).toEqual([...first.asked, refusing]);
  });

  it('are on others for other nodes', async () => {
    const chosen = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const { places } = open(`node ${at}`);
        await places.take();
        return places.taken().join();
      }),
    );
    expect(new Set(chosen).size).toBeGreaterThan(PLACES);
  });
});
