import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { BlockInquiry, MAX_WAITING_HASHES } from '../../src/metadata/block-inquiry.ts';
import type { MemberDirectory } from '../../src/metadata/member-directory.ts';
import type { Network } from '../../src/network/network.ts';
import { CopiesRequest, CopiesResponse } from '../../src/protocol/messages.ts';

const A = 'aa'.repeat(32);
const B = 'bb'.repeat(32);
const NEVER = new AbortController().signal;

interface Asked {
  readonly peer: string;
  readonly hashes: readonly string[];
  readonly answer: (held: readonly string[]) => void;
  readonly fail: () => void;
}

/** Datanodes 1, 2 and 3, of which 3 is dead; the test answers for them. */
function inquiryOf(): { readonly inquiry: BlockInquiry; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const network = {
    isConnected: () => true,
    request: (peer: string, _class: string, _method: string, body: Uint8Array) =>
      new Promise((resolve, reject) => {
        const hashes = CopiesRequest.decode(body).hashes.map(toHex);
        const answer = (held: readonly string[]): void => {
          const copies = hashes.map((hash) => ({ state: held.includes(hash) ? 'good' : 'absent' }));
          resolve(CopiesResponse.encode(CopiesResponse.fromPartial({ copies })).finish());
        };
        asked.push({ peer, hashes, answer, fail: () => reject(new Error('unreachable')) });
      }),
  } as unknown as Network;
  const datanodes = [1, 2, 3].map((number) => ({ number, peer: `d${number}`, addresses: [] }));
  const members = { withRole: () => datanodes } as unknown as MemberDirectory;
  const states = { liveness: (node: number) => (node === 3 ? 'dead' : 'unknown') } as const;
  return { inquiry: new BlockInquiry({ network, members, states, logger: silentLogger }), asked };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('an inquiry', () => {
  it('asks every datanode that is not dead, and names those that have the block', async () => {
    const { inquiry, asked } = inquiryOf();
    const found = inquiry.holders([A, B], NEVER);
    await turns();
    expect(asked.map(({ peer, hashes }) => [peer, hashes])).toEqual([
      ['d1', [A, B]],
      ['d2', [A, B]],
    ]);
    asked[0]?.answer([A]);
    asked[1]?.answer([A]);
    expect(await found).toEqual(new Map([[A, [1, 2]]]));
  });

  it('does not wait for a silent datanode once each block has a holder', async () => {
    const { inquiry, asked } = inquiryOf();
    const found = inquiry.holders([A], NEVER);
    await turns();
    asked[1]?.answer([A]);
    expect(await found).toEqual(new Map([[A, [2]]]));
  });

  it('passes over a datanode that fails', async () => {
    const { inquiry, asked } = inquiryOf();
    const found = inquiry.holders([A, B], NEVER);
    await turns();
    asked[0]?.fail();
    asked[1]?.answer([B]);
    expect(await found).toEqual(new Map([[B, [2]]]));
  });

  it('puts one question to a datanode at a time, and gathers the others into the next', async () => {
    const { inquiry, asked } = inquiryOf();
    const first = inquiry.holders([A], NEVER);
    await turns();
    const later = [inquiry.holders([A], NEVER), inquiry.holders([B], NEVER), inquiry.holders([B], NEVER)];
    await turns();
    expect(asked).toHaveLength(2);
    for (const each of asked) each.answer([A]);
    await first;
    await turns();
    expect(asked.slice(2).map(({ hashes }) => hashes)).toEqual([
      [A, B],
      [A, B],
    ]);
    for (const each of asked.slice(2)) each.answer([A, B]);
    expect((await Promise.all(later)).map((found) => [...found.keys()])).toEqual([[A], [B], [B]]);
  });

  it('keeps no more hashes waiting for a datanode than the bound', async () => {
    const { inquiry, asked } = inquiryOf();
    const first = inquiry.holders([A], NEVER);
    await turns();
    const many = Array.from({ length: MAX_WAITING_HASHES + 10 }, (_, each) =>
      each.toString(16).padStart(64, '0'),
    );
    const flood = inquiry.holders(many, NEVER);
    for (const each of asked) each.answer([A]);
    await first;
    for (let at = 2; ; ) {
      await turns();
      if (at === asked.length) break;
      for (; at < asked.length; at++) asked[at]?.answer(many);
    }
    expect((await flood).size).toBe(MAX_WAITING_HASHES);
  });

  it('ends with the reason of its signal', async () => {
    const { inquiry } = inquiryOf();
    const abort = new AbortController();
    const found = inquiry.holders([A], abort.signal);
    abort.abort(new Error('enough'));
    await expect(found).rejects.toThrow('enough');
  });
});
