/** @module What a metadata node says of somebody's standing, and when it had better say nothing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { systemRandom } from '../../src/common/random.ts';
import { StandingService } from '../../src/metadata/standing-service.ts';
import { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { call } from '../../src/network/method.ts';
import type { StandingResponse } from '../../src/protocol/messages.ts';
import { STANDING } from '../../src/protocol/methods.ts';

describe('the standing of a node, asked of a metadata node', () => {
  let networks: MemoryNetwork[];
  /** Of the one who answers: what it has applied, and what its node.json says. */
  let epochs: { applied: number; own: number };

  beforeEach(async () => {
    const home = new MemorySwitch({ clock: systemClock });
    const open = (peer: string): MemoryNetwork =>
      new MemoryNetwork({ switch: home, clock: systemClock, random: systemRandom }, { peer });
    networks = [open('answers'), open('asks')];
    for (const network of networks) await network.start();
    epochs = { applied: 2, own: 2 };
    const members = [Member.fromPartial({ number: 7, peer: 'asks', roles: ['data'], state: 'left' })];
    const machine = {
      cluster: () => ({ id: 'c', epoch: epochs.applied }),
      memberByNumber: (number: number) => members.find((member) => member.number === number),
    };
    const components = {
      network: networks[0],
      machine,
      driver: { isInConfiguration: () => false },
    } as unknown as ConstructorParameters<typeof StandingService>[0];
    new StandingService(components, { epoch: () => epochs.own }).start();
  });
  afterEach(async () => {
    for (const network of networks) await network.stop();
  });

  const ask = (number: number): Promise<StandingResponse> =>
    call(networks[1] as MemoryNetwork, 'answers', STANDING, { cluster: 'c', epoch: 1, number });

  it('is told to a stranger by its number, and only of itself', async () => {
    expect(await ask(7)).toMatchObject({ epoch: 2, state: 'left', roles: ['data'] });
    expect(await ask(8)).toMatchObject({ epoch: 2, state: '', roles: [] });
  });

  it('is not told by one that still replays the log of an older epoch: who came since is not there yet', async () => {
    epochs = { applied: 1, own: 2 };
    await expect(ask(8)).rejects.toMatchObject({ code: 'METADATA_NOT_READY' });
  });
});
