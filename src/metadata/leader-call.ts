/** @module For what only the leader can answer: done here if this node leads, else asked of the one that does. */
import { call, type Method } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { notLeader } from './errors.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface LeaderCallComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly driver: RaftDriver;
}

/**
 * Runs `here` on the leader, else passes `request` on once. `hasComeFar`: a metadata node passed it on already, and it
 * goes no further. Errors: METADATA_NOT_LEADER, and those of the call.
 */
export async function onLeader<Request, Response>(
  { network, members, driver }: LeaderCallComponents,
  method: Method<Request, Response>,
  request: Request,
  options: { readonly hasComeFar: boolean; readonly signal: AbortSignal },
  here: () => Promise<Response>,
): Promise<Response> {
  if (driver.isLeader) return here();
  const peer = members.byNumber(driver.leader)?.peer;
  if (peer === undefined || options.hasComeFar) throw notLeader(driver.leader);
  return call(network, peer, method, request, { signal: options.signal });
}
