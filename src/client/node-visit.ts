/** @module A visit to every node: whether it can be reached from here, over what, how long it takes, and what its clock says. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Member } from '../namespace/schema.ts';
import { call } from '../network/method.ts';
import { HELLO, MEMBERS, POSITION } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';

export interface NodeVisit {
  readonly member: Member;
  /** Why it was not reached; absent when it was. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** Some metadata node could not dial it, so it has places on relays. */
  readonly isBehindRelays: boolean;
  readonly roundTripMs: number;
  /** Its clock less this one's, give or take half a round trip; absent when it did not say. */
  readonly clockAheadMs?: number;
}

const VISIT_TIMEOUT_MS = 4_000;
/** In the addresses of a node that asked metadata nodes to dial it, and was not reached; its own addresses stand beside it. */
const RELAY = '/p2p-circuit';

/** By number. The first call opens the connection, the second one is timed. */
export async function visitNodes(
  context: ClientContext,
  options: OperationOptions = {},
): Promise<readonly NodeVisit[]> {
  // Also without a quorum: that is when somebody wants to know.
  const { members } = await context.metadata.ask(MEMBERS, { stale: true }, options);
  const nodes = members.filter(
    ({ state, roles }) => state !== 'left' && (roles.includes('meta') || roles.includes('data')),
  );
  const visits = await Promise.all(nodes.map((member) => visit(context, member, options)));
  return visits.toSorted((a, b) => a.member.number - b.member.number);
}

async function visit(
  context: ClientContext,
  member: Member,
  { signal }: OperationOptions,
): Promise<NodeVisit> {
  const { clock, network } = context;
  const { peer, addresses, roles } = member;
  const isBehindRelays = addresses.some((address) => address.includes(RELAY));
  const known = { member, isBehindRelays };
  if (!network.isConnected(peer)) network.learn(peer, addresses);
  const options = { timeoutMs: VISIT_TIMEOUT_MS, ...(signal && { signal }) };
  const ask = (): Promise<{ wallMs?: number | undefined }> =>
    roles.includes('meta')
      ? call(network, peer, POSITION, {}, options)
      : call(network, peer, HELLO, {}, options);
  try {
    await ask();
    const fromMs = clock.monotonicMs();
    const { wallMs } = await ask();
    const roundTripMs = clock.monotonicMs() - fromMs;
    if (wallMs === undefined) return { ...known, roundTripMs };
    return { ...known, roundTripMs, clockAheadMs: wallMs - (clock.wallMs() - roundTripMs / 2) };
  } catch (error) {
    signal?.throwIfAborted();
    const code = isHoldfastError(error) ? error.code : 'CLIENT_NOT_ANSWERED';
    return { ...known, roundTripMs: 0, failure: { code, message: describeError(error) } };
  }
}
