/** @module What a member that proposes to meet can have a node do. */
import { expect, it } from 'vitest';
import { utf8 } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { FrameKind } from '../../src/network/frame.ts';
import { MAX_WHEREABOUTS_BYTES, Meeting } from '../../src/network/meeting.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';

const PEER = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFsHsEf4RGZBGrSjcsW';
const NO_BYTES = new Uint8Array(0);

interface Guest {
  propose(body?: Uint8Array): void;
  /** With its cause. */
  readonly closed: Promise<unknown>;
}

/** Others who propose, to a node whose dials never end. */
function host(): { readonly guest: () => Guest; readonly dialled: string[] } {
  const dialled: string[] = [];
  const never = new Promise<never>(() => {});
  const meeting = new Meeting({
    dial: (address) => {
      dialled.push(address.toString());
      return never;
    },
    punch: () => never,
    arrival: () => never,
    addresses: () => [],
    observe: () => Promise.reject(new Error('nobody sees us')),
    logger: silentLogger,
  });
  const guest = (): Guest => {
    const [ours, theirs] = memoryStreamPair((deliver) => queueMicrotask(deliver));
    const closed = Promise.withResolvers<unknown>();
    theirs.listen({ frame: () => undefined, closed: closed.resolve });
    meeting.serve(PEER, ours);
    const whereabouts = utf8(JSON.stringify({ addresses: ['/ip4/192.0.2.1/tcp/4600'] }));
    const propose = (body = whereabouts): void => void theirs.send(FrameKind.request, 0, 0, NO_BYTES, body);
    return { propose, closed: closed.promise };
  };
  return { guest, dialled };
}

it('is proposed once on a stream', async () => {
  const { guest } = host();
  const one = guest();
  one.propose();
  one.propose();
  expect(await one.closed).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
});

it('is proposed in few words', async () => {
  const { guest } = host();
  const one = guest();
  one.propose(new Uint8Array(MAX_WHEREABOUTS_BYTES + 1));
  expect(await one.closed).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
});

it('has a node dial for so many at once, and no more', async () => {
  const { guest, dialled } = host();
  const guests = Array.from({ length: 129 }, guest);
  for (const { propose } of guests) propose();
  expect(await Promise.race(guests.map(({ closed }) => closed))).toMatchObject({
    code: 'NETWORK_OVERLOADED',
  });
  await expect.poll(() => dialled.length).toBe(128);
});
