/** @module The places of a local cluster: disks that are mounted, networks. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';

/** Of a disk that is mounted. */
const SLOW_MS = 2_000;

it('gives up the places of its nodes only when none is being made any more, though another one failed', async () => {
  const events: string[] = [];
  const failed = Promise.withResolvers<void>();
  const givenUp = Promise.withResolvers<void>();
  const place = async (name: string): Promise<{ listen: string }> => {
    if (name === 'd1') {
      failed.resolve();
      throw new Error('no room for d1');
    }
    if (name === 'd2') {
      await failed.promise;
      // As slow as may be: whoever does not wait for it has given it up by then.
      await Promise.race([givenUp.promise, pause(SLOW_MS)]);
      events.push('d2 is placed');
    }
    return { listen: '/ip4/127.0.0.1/tcp/0' };
  };
  const vacate = async (): Promise<void> => {
    events.push('places are given up');
    givenUp.resolve();
  };
  const starting = LocalCluster.start({ metadataNodes: 1, dataNodes: 2, place, vacate });
  await expect(starting).rejects.toThrow('no room for d1');
  expect(events).toEqual(['d2 is placed', 'places are given up']);
});
