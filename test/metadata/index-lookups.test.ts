import { describe, expect, it } from 'vitest';
import type { LookupRequest, LookupResponse } from '../../dht/messages.ts';
import { lookupsOf } from '../../src/metadata/index-lookups.ts';
import type { Network } from '../../src/network/network.ts';

const ANSWER: LookupResponse = { boot: 'here', counts: [], nodes: [], incomplete: [], ring: undefined };
const REQUEST: LookupRequest = { hashes: new Uint8Array(), epoch: 1 };

/** What was asked of others goes to `sent`. */
function lookups(own: () => LookupResponse | Promise<LookupResponse>, sent: string[] = []) {
  const request = (peer: string): Promise<never> => {
    sent.push(peer);
    return Promise.reject(new Error('nobody answers'));
  };
  return lookupsOf({ localPeer: 'self', request } as unknown as Network, { lookup: own });
}

describe('questions to the location index', () => {
  const { signal } = new AbortController();

  it('are answered here where this node is asked, and sent where another one is', async () => {
    const sent: string[] = [];
    const index = lookups(() => ANSWER, sent);
    expect(await index.lookup('self', REQUEST, signal)).toBe(ANSWER);
    await expect(index.lookup('other', REQUEST, signal)).rejects.toThrow('nobody answers');
    expect(sent).toEqual(['other']);
  });

  it('fail as answers do', async () => {
    const index = lookups(() => {
      throw new Error('too many');
    });
    await expect(index.lookup('self', REQUEST, signal)).rejects.toThrow('too many');
  });

  it('wait for the disk no longer than the signal lets them', async () => {
    const ending = new AbortController();
    const reading = lookups(() => new Promise(() => {})).lookup('self', REQUEST, ending.signal);
    ending.abort(new Error('late'));
    await expect(reading).rejects.toThrow('late');
  });
});
