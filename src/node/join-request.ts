/** @module What a node asks for that wants to be a member, for itself and for the user who runs it. */
import { SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import { Member } from '../namespace/schema.ts';
import type { JoinRequest } from '../protocol/messages.ts';
import type { TokenContents } from '../protocol/token.ts';
import { type NewNode, placeOf } from './init-cluster.ts';

export interface Applicant extends Pick<NewNode, 'name' | 'host' | 'hostGroup' | 'zone' | 'roles'> {
  readonly peer: string;
  /** Full multiaddrs that others can dial. */
  readonly addresses: readonly string[];
}

/** `client`: peer id of the user, who becomes a member beside the node; undefined where there is a profile already. */
export function joinRequest(
  { clusterId, tokenId, secret }: TokenContents,
  node: Applicant,
  client: string | undefined,
): JoinRequest {
  const { peer, roles, name, host, addresses } = node;
  return {
    cluster: clusterId,
    tokenId,
    tokenSecret: secret,
    member: Member.fromPartial({
      peer,
      roles: [...roles],
      name,
      host,
      ...placeOf(node),
      addresses: [...addresses],
    }),
    client:
      client === undefined
        ? undefined
        : Member.fromPartial({ peer: client, roles: ['client'], name: `${name}-user`, host }),
    featureLevel: SUPPORTED_FEATURE_LEVEL,
  };
}
