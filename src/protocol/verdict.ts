/** @module Several requests in one: each is answered with a verdict of its own, an answer or an error. */
import { describeError, type HoldfastError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { decodeError, encodeError, toHoldfastError } from '../network/errors.ts';
import type { Network } from '../network/network.ts';

export interface VerdictComponents {
  readonly network: Pick<Network, 'localPeer'>;
  readonly logger: Logger;
}

/** What stands in the place of an answer: no bytes when there is one. */
export interface WireVerdict {
  readonly error: Uint8Array;
}

export const NO_ERROR: Uint8Array = new Uint8Array(0);

/** Runs `work` for all items side by side; the failure of one is its verdict and nobody else's. Never rejects. */
export function judgeAll<Item, Verdict extends WireVerdict>(
  { network, logger }: VerdictComponents,
  method: string,
  items: readonly Item[],
  work: (item: Item) => Promise<Verdict>,
  refuse: (verdict: WireVerdict) => Verdict,
): Promise<Verdict[]> {
  return Promise.all(
    items.map(async (item) => {
      try {
        return await work(item);
      } catch (error) {
        // As with a request that stands alone: what the peer is not told goes to our log.
        if (!isHoldfastError(error))
          logger.error('network.handler-failed', { method, cause: describeError(error) });
        return refuse({ error: encodeError(toHoldfastError(error, network.localPeer, method)) });
      }
    }),
  );
}

/** The error of a verdict, if it is one. */
export function errorIn({ error }: WireVerdict): HoldfastError | undefined {
  return error.byteLength === 0 ? undefined : decodeError(error);
}
