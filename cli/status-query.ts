/** @module Asks for the cluster's status, also when just the quorum is lost. */
import type { Client } from '../src/client/client.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import type { StatusResponse } from '../src/protocol/messages.ts';

export interface StatusAnswer {
  readonly answer: StatusResponse;
  /** What one metadata node knew, without a quorum. */
  readonly isStale: boolean;
}

/** Just when the quorum is lost people ask for the status: then what one metadata node knows must do. */
export async function askStatus(client: Client, stale: boolean, signal: AbortSignal): Promise<StatusAnswer> {
  try {
    return { answer: await client.status({ stale, signal }), isStale: stale };
  } catch (error) {
    const isWorthIt = !stale && isHoldfastError(error) && error.kind !== 'refused' && !signal.aborted;
    if (!isWorthIt) throw error;
    return { answer: await client.status({ stale: true, signal }), isStale: true };
  }
}
