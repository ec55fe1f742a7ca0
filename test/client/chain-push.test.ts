/** @module A chain of datanodes that stands still: given up when somebody in it is silent, waited for when all are there. */
import { beforeEach, describe, expect, it } from 'vitest';
import { pushAlongChain, STANDSTILL_MS } from '../../src/client/chain-push.ts';
import type { ClientContext } from '../../src/client/client-context.ts';
import { HoldfastError } from '../../src/common/errors.ts';
import { BlockWriteResponse, type Holder } from '../../src/protocol/messages.ts';
import { HELLO } from '../../src/protocol/methods.ts';
import { ManualClock } from '../manual-clock.ts';

const NODES = [1, 2, 3];
const chain: Holder[] = NODES.map((node) => ({
  node,
  peer: `p${node}`,
  addresses: [],
  name: '',
  host: '',
  alive: true,
}));

describe('a block on its way', () => {
  let clock: ManualClock;
  let answer: PromiseWithResolvers<void>;
  let silent: readonly string[];
  let aborted: boolean;

  beforeEach(() => {
    clock = new ManualClock();
    answer = Promise.withResolvers();
    silent = [];
    aborted = false;
  });

  const push = (isWatched: boolean) => {
    const timeout = new HoldfastError({
      code: 'NETWORK_TIMEOUT',
      kind: 'unknown',
      message: 'no answer',
      facts: {},
    });
    const network = {
      isConnected: () => true,
      open: async () => ({
        write: () => Promise.resolve(),
        end: () => answer.promise,
        abort: (error: Error) => {
          aborted = true;
          answer.reject(error);
        },
        async *[Symbol.asyncIterator]() {
          const copies = NODES.map((node) => ({
            node,
            ok: true,
            code: '',
            message: '',
            announced: true,
            existed: false,
          }));
          yield BlockWriteResponse.encode({ copies }).finish();
        },
      }),
      request: async (peer: string) => {
        if (silent.includes(peer)) throw timeout;
        return HELLO.response.encode({}).finish();
      },
    };
    const header = {
      hash: new Uint8Array(32),
      sizeBytes: 1,
      fileId: 0,
      pathHint: '',
      position: 0,
      write: undefined,
      also: [],
    };
    const context = { clock, network } as unknown as ClientContext;
    const { signal } = new AbortController();
    return pushAlongChain(context, { chain, header, pieces: [new Uint8Array(1)], signal, isWatched });
  };

  it('is given up soon after a datanode of the chain fell silent, and says which', async () => {
    silent = ['p3'];
    const pushed = push(true);
    await clock.advance(STANDSTILL_MS + 10);
    expect(aborted).toBe(true);
    const { outcomes, silent: named } = await pushed;
    expect(named).toEqual([3]);
    expect(outcomes.every(({ ok }) => !ok)).toBe(true);
  });

  it('is waited for while everybody in the chain says hello, however slow the disks are', async () => {
    const pushed = push(true);
    await clock.advance(8 * STANDSTILL_MS);
    expect(aborted).toBe(false);
    answer.resolve();
    const { outcomes, silent: named } = await pushed;
    expect(named).toEqual([]);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  });

  it('is left alone when nobody is to watch it', async () => {
    silent = ['p1'];
    const pushed = push(false);
    await clock.advance(8 * STANDSTILL_MS);
    expect(aborted).toBe(false);
    answer.resolve();
    expect((await pushed).outcomes).toHaveLength(3);
  });
});
