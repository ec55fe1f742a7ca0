/** @module What a metadata node says to one that starts: whether it remembers more of it, and how far it is itself. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { VouchService } from '../../src/metadata/vouch-service.ts';
import { type Incarnation, Witness } from '../../src/metadata/witness.ts';
import { Member } from '../../src/namespace/schema.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { call } from '../../src/network/method.ts';
import type { VouchResponse } from '../../src/protocol/messages.ts';
import { VOUCH } from '../../src/protocol/methods.ts';

const NUMBER = 3;
const RUN: Incarnation = { number: NUMBER, boot: 4, id: 1, openedAt: 50 };

let networks: MemoryNetwork[];
/** Who asks, as the one that answers knows it. */
let asker: Partial<Member>;
let witness: Witness;

beforeEach(async () => {
  const home = new MemorySwitch({ clock: systemClock });
  const open = (peer: string): MemoryNetwork =>
    new MemoryNetwork({ switch: home, clock: systemClock, random: systemRandom }, { peer });
  networks = [open('answers'), open('asks')];
  for (const network of networks) {
    network.authorize(() => true);
    await network.start();
  }
  asker = { number: NUMBER, roles: ['meta'] };
  witness = new Witness();
  const confState = {
    voters: [1, NUMBER],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const components = {
    network: networks[0],
    witness,
    logger: silentLogger,
    machine: { appliedIndex: 9, confState: () => undefined },
    members: {
      activeByPeer: () => Member.fromPartial({ peer: 'asks', state: 'active', ...asker }),
      withRole: () => [],
    },
    log: {
      initialState: () => ({ hardState: { term: 6, vote: 0, commit: 9 }, confState }),
      firstIndex: () => 1,
      lastIndex: () => 9,
      term: () => 5,
      entries: () => [],
    },
  } as unknown as ConstructorParameters<typeof VouchService>[0];
  new VouchService(components).start();
});
afterEach(async () => {
  for (const network of networks) await network.stop();
});

const ask = (run: Incarnation = RUN): Promise<VouchResponse> =>
  call(networks[1] as MemoryNetwork, 'answers', VOUCH, { run });

it('tells of its own term and the end of its log, and who votes', async () => {
  expect(await ask()).toMatchObject({
    rolledBack: false,
    term: 6,
    lastTerm: 5,
    lastIndex: 9,
    voterSets: [{ index: 9, voters: [1, NUMBER] }],
  });
});

it('accuses one that has forgotten what it said, and hears nothing of its earlier run once it has asked', async () => {
  witness.observe({ ...RUN, boot: 3, id: 7, openedAt: 20 }, 51);
  expect(await ask()).toMatchObject({ rolledBack: true, seenSequence: 51 });
  expect(await ask({ ...RUN, openedAt: 51 })).toMatchObject({ rolledBack: false });
  expect(witness.observe({ ...RUN, boot: 3, id: 7, openedAt: 20 }, 52)).toBe(false);
});

it('accuses one that has a later number by now: this one was given up', async () => {
  asker = { number: NUMBER + 1, roles: ['meta'] };
  expect(await ask()).toMatchObject({ rolledBack: true });
});

it('answers metadata nodes alone', async () => {
  asker = { number: NUMBER, roles: ['data'] };
  await expect(ask()).rejects.toMatchObject({ code: 'METADATA_NOT_ALLOWED' });
});
