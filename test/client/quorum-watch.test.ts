/** @module What waits for the cluster, and how soon it is told that there is no quorum. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MetadataPeers, PUT_PATIENCE_MS } from '../../src/client/metadata-peers.ts';
import { Mutations } from '../../src/client/mutations.ts';
import { QuorumWatch } from '../../src/client/quorum-watch.ts';
import type { HoldfastError } from '../../src/common/errors.ts';
import { sleep } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { noQuorum } from '../../src/metadata/errors.ts';
import { timedOut } from '../../src/network/errors.ts';
import type { Network } from '../../src/network/network.ts';
import { MEMBERS, STAT } from '../../src/protocol/methods.ts';
import { ManualClock } from '../manual-clock.ts';

/** The README's promise, less the time that the command itself takes. */
const REFUSED_WITHIN_MS = 8_750;
/** For a metadata node to find out that it has no quorum. */
const READ_LIMIT_MS = 3_000;
const STEP_MS = 50;
const NO_QUORUM = noQuorum('read the latest state', READ_LIMIT_MS);

let clock: ManualClock;
/** What a metadata node says after READ_LIMIT_MS; nothing when it has a quorum. */
let refusal: HoldfastError | undefined;
let questions: number;
let watch: QuorumWatch;

beforeEach(() => {
  clock = new ManualClock();
  refusal = NO_QUORUM;
  questions = 0;
  const metadata = {
    ask: async (method: unknown, { stale }: { readonly stale: boolean }) => {
      expect(method).toBe(MEMBERS);
      expect(stale).toBe(false);
      questions += 1;
      if (refusal !== undefined) await sleep(clock, READ_LIMIT_MS);
      if (refusal !== undefined) throw refusal;
      return {};
    },
  } as unknown as MetadataPeers;
  watch = new QuorumWatch({ metadata, clock });
});

describe('what waits for the cluster', () => {
  it('is refused in time when it does not move and there is no quorum', async () => {
    const refused = waiting();
    await clock.advance(REFUSED_WITHIN_MS);
    expect(refused).toEqual([NO_QUORUM]);
  });

  it('is refused along with another that waits longer', async () => {
    waiting();
    await clock.advance(2_000);
    const second = waiting();
    await clock.advance(REFUSED_WITHIN_MS - 2_000);
    expect(second).toEqual([NO_QUORUM]);
    expect(questions).toBe(2);
  });

  it('is not refused by an answer to a question that was asked before it began', async () => {
    waiting();
    await clock.advance(5_000);
    const late = waiting();
    await clock.advance(3_500);
    expect(late).toEqual([]);
    await clock.advance(REFUSED_WITHIN_MS - 3_500);
    expect(late).toEqual([NO_QUORUM]);
  });

  it('goes on while it moves, and nobody is asked', async () => {
    const refused: unknown[] = [];
    const wait = watch.watch((reason) => refused.push(reason));
    for (let step = 0; step < 30; step += 1) {
      await clock.advance(900);
      wait.moved();
    }
    expect(refused).toEqual([]);
    expect(questions).toBe(0);
  });

  it('goes on when there is a quorum again soon, and again has as long when that is lost', async () => {
    const refused = waiting();
    await clock.advance(5_000);
    expect(questions).toBe(2);
    refusal = undefined;
    await clock.advance(3_000);
    refusal = NO_QUORUM;
    await clock.advance(5_000);
    expect(refused).toEqual([]);
    await clock.advance(REFUSED_WITHIN_MS - 5_000);
    expect(refused).toEqual([NO_QUORUM]);
  });

  it('goes on, however slow it is, with a quorum, and is asked about again', async () => {
    refusal = undefined;
    const refused = waiting();
    await clock.advance(20_000);
    expect(refused).toEqual([]);
    expect(questions).toBeGreaterThan(5);
    expect(questions).toBeLessThan(25);
    refusal = NO_QUORUM;
    await clock.advance(REFUSED_WITHIN_MS);
    expect(refused).toEqual([NO_QUORUM]);
  });

  it('goes on when nobody can be asked: it may be this machine that is cut off', async () => {
    refusal = timedOut('somebody', MEMBERS.name, READ_LIMIT_MS);
    const refused = waiting();
    await clock.advance(30_000);
    expect(refused).toEqual([]);
  });

  it('is not asked about once it is over', async () => {
    const wait = watch.watch(() => expect.unreachable());
    wait.end();
    await clock.advance(30_000);
    expect(questions).toBe(0);
  });
});

describe('a metadata node that says it has no quorum', () => {
  it('ends a long patience as soon as a short one', async () => {
    const peers = peersOf(NO_QUORUM);
    const asked = codeOf(peers.ask(STAT, { path: '/', stale: false }, { patienceMs: PUT_PATIENCE_MS }));
    expect(await soonOf(asked)).toEqual({ code: NO_QUORUM.code, isInTime: true });
  });

  it('is unlike silence, for which there is all the patience', async () => {
    const peers = peersOf(undefined);
    const asked = codeOf(peers.ask(STAT, { path: '/', stale: false }, { patienceMs: PUT_PATIENCE_MS }));
    expect(await soonOf(asked)).toEqual({ code: 'CLIENT_NO_METADATA', isInTime: false });
  });
});

it('changes that wait for their turn behind others are refused as soon as those', async () => {
  const metadata = {
    patience: () => ({ untilMs: 0, withoutQuorumMs: 0 }),
    prefer: () => {},
    ask: async (method: unknown) => {
      if (method !== MEMBERS) return new Promise(() => {});
      await sleep(clock, READ_LIMIT_MS);
      throw NO_QUORUM;
    },
  } as unknown as MetadataPeers;
  const quorum = new QuorumWatch({ metadata, clock });
  const mutations = new Mutations({ metadata, quorum, random: systemRandom }, { owner: 'tester' });
  const codes: (string | undefined)[] = [];
  for (let count = 0; count < 200; count += 1)
    void codeOf(mutations.run({ $case: 'mkdir' } as unknown as Parameters<Mutations['run']>[0])).then(
      (code) => codes.push(code),
    );
  await clock.advance(REFUSED_WITHIN_MS);
  expect(codes).toEqual(Array.from({ length: 200 - 128 }, () => NO_QUORUM.code));
});

/** Something that does not move; and why it was refused. */
function waiting(): unknown[] {
  const refused: unknown[] = [];
  const wait = watch.watch((reason) => {
    refused.push(reason);
    wait.end();
  });
  return refused;
}

/** A single metadata node that answers everything so after READ_LIMIT_MS; nothing when it is silent. */
function peersOf(answer: HoldfastError | undefined): MetadataPeers {
  const network = {
    learn: () => {},
    request: async (peer: string, _class: string, name: string, _body: Uint8Array, options: AskLimits) => {
      const limitMs = answer === undefined ? options.timeoutMs : Math.min(READ_LIMIT_MS, options.timeoutMs);
      await sleep(clock, limitMs, options.signal);
      throw answer !== undefined && limitMs === READ_LIMIT_MS ? answer : timedOut(peer, name, limitMs);
    },
  } as unknown as Network;
  const components = { network, clock, random: systemRandom, logger: silentLogger };
  return new MetadataPeers(components, [{ peer: 'only', addresses: [] }]);
}

interface AskLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

function codeOf(asked: Promise<unknown>): Promise<string | undefined> {
  return asked.then(
    () => undefined,
    (error: HoldfastError) => error.code,
  );
}

/** What it ends with, and whether within REFUSED_WITHIN_MS. */
async function soonOf(
  asked: Promise<string | undefined>,
): Promise<{ readonly code: string | undefined; readonly isInTime: boolean } | undefined> {
  const startMs = clock.monotonicMs();
  const ended: { readonly code: string | undefined; readonly isInTime: boolean }[] = [];
  void asked.then((code) =>
    ended.push({ code, isInTime: clock.monotonicMs() - startMs <= REFUSED_WITHIN_MS }),
  );
  while (ended.length === 0) await clock.advance(STEP_MS);
  return ended[0];
}
