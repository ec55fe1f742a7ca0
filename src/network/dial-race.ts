/**
 * @module Dials a peer's addresses one shortly after the other and keeps the first that answers (RFC 8305, "happy eyeballs"): an
 * address that leads nowhere costs a fraction of a second, not its time limit.
 */

/** Between two starts; a failure starts the next at once. */
const STAGGER_MS = 200;
/** Of one peer; the others are left out. */
export const MAX_RACE_ADDRESSES = 8;

/** Resolves with the first success, and aborts the rest. Throws an AggregateError when all failed, or the signal's reason. */
export async function dialRace<Address, Connection>(
  addresses: readonly Address[],
  dial: (address: Address, signal: AbortSignal) => Promise<Connection>,
  signal: AbortSignal,
): Promise<Connection> {
  const isOver = new AbortController();
  const limited = AbortSignal.any([signal, isOver.signal]);
  const attempts: Promise<Connection>[] = [];
  try {
    for (const address of addresses.slice(0, MAX_RACE_ADDRESSES)) {
      signal.throwIfAborted();
      const attempt = dial(address, limited);
      attempt.catch(() => undefined);
      attempts.push(attempt);
      const settled = await firstOrPause(attempts, attempt, limited);
      if (settled !== undefined) return settled.connection;
    }
    return await Promise.any(attempts);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    isOver.abort();
  }
}

/** What one of `attempts` brought within the stagger; undefined also as soon as `newest` has failed. */
async function firstOrPause<Connection>(
  attempts: readonly Promise<Connection>[],
  newest: Promise<Connection>,
  signal: AbortSignal,
): Promise<{ readonly connection: Connection } | undefined> {
  const pause = Promise.withResolvers<undefined>();
  const end = (): void => pause.resolve(undefined);
  const timer = setTimeout(end, STAGGER_MS);
  signal.addEventListener('abort', end, { once: true });
  try {
    const first = Promise.any(attempts).then((connection) => ({ connection }));
    first.catch(() => undefined);
    return await Promise.race([
      first,
      newest.then(
        (connection) => ({ connection }),
        () => undefined,
      ),
      pause.promise,
    ]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
