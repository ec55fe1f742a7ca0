/** @module Asking each node of a role itself, all at once: one that does not answer is an answer, too. */
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Member } from '../namespace/schema.ts';
import { call, type Method } from '../network/method.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { MEMBERS } from '../protocol/methods.ts';

/** Whom to ask: a member, or a holder of copies. */
export interface Asked {
  readonly peer: string;
  readonly addresses: readonly string[];
}

export interface NodeAnswer<T, Node extends Asked = Member> {
  readonly member: Node;
  /** Absent when the node did not answer. */
  readonly answer?: T;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** Longer than a linearizable read, which some answers wait for. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Active members with `role`, by number. */
export async function membersWithRole(
  { metadata }: ClientContext,
  role: string,
  options: OperationOptions = {},
): Promise<readonly Member[]> {
  const { members } = await metadata.ask(MEMBERS, { stale: false }, options);
  return members
    .filter(({ state, roles }) => state !== 'left' && roles.includes(role))
    .toSorted((a, b) => a.number - b.number);
}

export async function askEach<Request, Response, Node extends Asked>(
  context: ClientContext,
  members: readonly Node[],
  method: Method<Request, Response>,
  request: Request,
  { signal, timeoutMs = ANSWER_TIMEOUT_MS }: OperationOptions & { readonly timeoutMs?: number } = {},
): Promise<readonly NodeAnswer<Response, Node>[]> {
  const { network } = context;
  return Promise.all(
    members.map(async (member) => {
      if (!network.isConnected(member.peer)) network.learn(member.peer, member.addresses);
      try {
        const options = { timeoutMs, ...(signal && { signal }) };
        return { member, answer: await call(network, member.peer, method, request, options) };
      } catch (error) {
        signal?.throwIfAborted();
        const code = isHoldfastError(error) ? error.code : 'CLIENT_NOT_ANSWERED';
        return { member, failure: { code, message: describeError(error) } };
      }
    }),
  );
}
