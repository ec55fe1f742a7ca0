import { expect, it } from 'vitest';
import type { HoldfastError } from '../../src/common/errors.ts';
import { systemRandom } from '../../src/common/random.ts';
import { QuorumWatch } from '../../src/client/quorum-watch.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { Mutations } from '../../src/client/mutations.ts';
import { noQuorum, outcomeUnknown, stopped } from '../../src/metadata/errors.ts';
import { DONE } from '../../src/namespace/results.ts';
import { encodeError } from '../../src/network/errors.ts';
import { MUTATE_MANY } from '../../src/protocol/methods.ts';

const NO_QUORUM = noQuorum('commit the change', 3_500);

it('that may have been done by a request for several are not said to have changed nothing when they are asked for alone', async () => {
  const codes = await codesOfTwo(outcomeUnknown('the leader changed meanwhile'), NO_QUORUM);
  expect(codes).toEqual(['CLIENT_OUTCOME_UNKNOWN', 'CLIENT_OUTCOME_UNKNOWN']);
});

it('that no request did anything about have changed nothing', async () => {
  expect(await codesOfTwo(stopped(), NO_QUORUM)).toEqual([NO_QUORUM.code, NO_QUORUM.code]);
});

/** What two changes that travel together end with: first `together` for both, then `alone` for each. */
async function codesOfTwo(together: HoldfastError, alone: HoldfastError): Promise<(string | undefined)[]> {
  let isOpen = false;
  const metadata = {
    patience: () => ({ untilMs: 1_000, withoutQuorumMs: 1_000 }),
    prefer: () => {},
    ask: async ({ name }: { readonly name: string }) => {
      if (!isOpen) {
        isOpen = true;
        return { result: DONE, leader: '' };
      }
      if (name !== MUTATE_MANY.name) throw alone;
      const verdict = { error: encodeError(together), result: undefined };
      return { verdicts: [verdict, verdict], leader: '' };
    },
  } as unknown as MetadataPeers;
  const quorum = new QuorumWatch({ metadata, clock: systemClock });
  const mutations = new Mutations({ metadata, quorum, random: systemRandom }, { owner: 'tester' });
  const changes = ['a', 'b'].map((path) =>
    mutations.run({ $case: 'unlink', value: { path } } as unknown as Parameters<Mutations['run']>[0]),
  );
  const outcomes = await Promise.allSettled(changes);
  return outcomes.map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as HoldfastError).code : undefined,
  );
}
