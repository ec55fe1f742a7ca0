/** @module Answers a metadata node that starts: is what it has as new as what it once told this node? */
import type { Logger } from '../common/logger.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { VouchRequest, VouchResponse } from '../protocol/messages.ts';
import { VOUCH } from '../protocol/methods.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { badRequest, notAllowed } from './errors.ts';
import { isMetadataNode, type MemberDirectory } from './member-directory.ts';
import { type VoterSetsComponents, voterSets } from './voter-sets.ts';
import type { Witness } from './witness.ts';

export interface VouchServiceComponents extends VoterSetsComponents {
  readonly log: VoterSetsComponents['log'] & Pick<RaftLogStore, 'term'>;
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly witness: Witness;
  readonly logger: Logger;
}

export class VouchService {
  readonly #components: VouchServiceComponents;

  constructor(components: VouchServiceComponents) {
    this.#components = components;
  }

  /** Works before this node itself takes part: a whole cluster that starts vouches for each other. */
  start(): void {
    serve(this.#components.network, VOUCH, async (request, { peer }) => this.#vouch(request, peer));
  }

  #vouch({ run }: VouchRequest, peer: PeerId): VouchResponse {
    const { members, witness, logger } = this.#components;
    const member = members.activeByPeer(peer);
    if (run === undefined) throw badRequest('a node that asks says which run it is');
    if (member === undefined || !isMetadataNode(member))
      throw notAllowed('only metadata nodes vouch for each other', { peer });
    // It has a later number: this one was given up, and the directory was put back to before that.
    const isReplaced = member.number > run.number;
    const isKnownRun = member.number === run.number;
    const rolledBack = isReplaced || (isKnownRun && !witness.observe(run, run.openedAt));
    const seen = witness.of(run.number);
    const { log, machine } = this.#components;
    const lastIndex = log.lastIndex();
    if (rolledBack) logger.warn('member.rolled-back', { ...run, seenSequence: seen?.sequence ?? 0 });
    return {
      rolledBack,
      seenBoot: seen?.boot ?? 0,
      seenSequence: seen?.sequence ?? 0,
      voterSets: voterSets(this.#components),
      members: [...members.withRole('meta')],
      applied: machine.appliedIndex,
      term: log.initialState().hardState.term,
      lastTerm: log.term(lastIndex),
      lastIndex,
    };
  }
}
