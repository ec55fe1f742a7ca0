/** @module Who asks to be let in asks again while metadata nodes are only busy, and no longer than somebody may be there. */
import { expect, it } from 'vitest';
import type { Clock } from '../../src/common/clock.ts';
import { HoldfastError } from '../../src/common/errors.ts';
import { timedOut, unreachable } from '../../src/network/errors.ts';
import type { Network } from '../../src/network/network.ts';
import { type AdmissionWait, askForAdmission } from '../../src/protocol/admission.ts';
import { JoinRequest, JoinResponse } from '../../src/protocol/messages.ts';

const PATIENCE = { busyMs: 60_000, nobodyMs: 5_100 };
const ADDRESSES = [
  '/ip6/2001:db8::1/tcp/4600/p2p/A',
  '/ip4/192.0.2.1/tcp/4600/p2p/A',
  '/ip4/192.0.2.2/tcp/1/p2p/B',
];
const REQUEST = JoinRequest.fromPartial({ cluster: 'c' });

/** Time passes only while somebody waits. */
class PassingClock implements Clock {
  nowMs = 0;
  wallMs = (): number => this.nowMs;
  monotonicMs = (): number => this.nowMs;
  every = (): never => expect.unreachable('nothing here repeats');
  after(delayMs: number, callback: () => void): { cancel(): void } {
    queueMicrotask(() => {
      this.nowMs += delayMs;
      callback();
    });
    return { cancel: () => undefined };
  }
}

/** As if the first address of each led nowhere. */
async function dialSecond(address: string): Promise<string | undefined> {
  if (address.startsWith('/ip6')) throw refusedConnection(address);
  return address.split('/').at(-1);
}

function ask(answer: (peer: string, nowMs: number) => JoinResponse, dial = dialSecond) {
  const clock = new PassingClock();
  const asked: string[] = [];
  const waits: AdmissionWait[] = [];
  const network = {
    dial,
    request: async (peer: string) => {
      asked.push(peer);
      return JoinResponse.encode(answer(peer, clock.nowMs)).finish();
    },
  } as unknown as Network;
  const options = { patience: PATIENCE, onWait: (wait: AdmissionWait) => void waits.push(wait) };
  const admission = askForAdmission({ network, clock }, ADDRESSES, REQUEST, options);
  return { clock, asked, waits, admission };
}

const failure = (code: string, kind: 'refused' | 'unavailable'): HoldfastError =>
  new HoldfastError({ code, kind, message: code });
const refusedConnection = (peer: string): HoldfastError => {
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  return unreachable(peer, 'connect', new AggregateError([cause, new Error('wrapped', { cause })]));
};

it('asks again until a metadata node that was too slow answers, and says what it waits for', async () => {
  const { admission, waits, asked } = ask((peer, nowMs) => {
    if (nowMs < 30_000) throw timedOut(peer, 'join', 15_000);
    return JoinResponse.fromPartial({ member: { number: 7 } });
  });
  expect((await admission).member?.number).toBe(7);
  expect(waits[0]).toMatchObject({ reason: expect.stringContaining('did not answer'), remainingMs: 60_000 });
  expect(asked.slice(0, 4)).toEqual(['A', 'B', 'A', 'B']);
});

it('takes a refusal for an answer at once', async () => {
  const { admission, asked } = ask(() => {
    throw failure('NAMESPACE_TOKEN_EXPIRED', 'refused');
  });
  await expect(admission).rejects.toMatchObject({ code: 'NAMESPACE_TOKEN_EXPIRED' });
  expect(asked).toEqual(['A']);
});

it('asks a peer once in a round, at whichever of its addresses answers', async () => {
  const { admission, asked } = ask(
    (peer, nowMs) => {
      if (nowMs < 100 || peer === 'A') throw timedOut(peer, 'join', 15_000);
      return JoinResponse.fromPartial({ member: { number: 7 } });
    },
    async (address) =>
      address.startsWith('/ip6') ? new Promise<never>(() => {}) : address.split('/').at(-1),
  );
  await admission;
  expect(asked).toEqual(['A', 'B', 'A', 'B']);
});

it('gives up early where nobody listens anywhere', async () => {
  const { admission, clock } = ask((peer) => {
    throw refusedConnection(peer);
  });
  await expect(admission).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
  expect(clock.nowMs).toBe(PATIENCE.nobodyMs);
});

it('waits for the one that may only be slow, though nobody listens at the others', async () => {
  const { admission, clock } = ask((peer) => {
    throw peer === 'A'
      ? refusedConnection(peer)
      : unreachable(peer, 'the operation was aborted due to timeout');
  });
  await expect(admission).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
  expect(clock.nowMs).toBe(PATIENCE.busyMs);
});

it('reports in the end what a metadata node said, not what the network said of another', async () => {
  const { admission } = ask((peer) => {
    throw peer === 'A' ? failure('METADATA_NO_QUORUM', 'unavailable') : refusedConnection(peer);
  });
  await expect(admission).rejects.toMatchObject({ code: 'METADATA_NO_QUORUM' });
});
