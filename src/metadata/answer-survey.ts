/** @module Whether a metadata node that is not heard by its leader answers anybody: asked before it is held to be away (SWIM §3.1, indirect probes). */
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { ANSWERS, FEATURE_LEVEL } from '../protocol/methods.ts';
import { notAllowed } from './errors.ts';
import { isMetadataNode, type MemberDirectory } from './member-directory.ts';

export interface AnswerSurveyComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly logger: Logger;
}

/** Who does not answer by then does not answer, in milliseconds. */
export const PROBE_TIMEOUT_MS = 1_000;
/** For somebody else's probe and the word of it. */
export const ASK_TIMEOUT_MS = 1_500;

export class AnswerSurvey {
  readonly #components: AnswerSurveyComponents;

  constructor(components: AnswerSurveyComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, members } = this.#components;
    serve(network, ANSWERS, async ({ peer }, context) => {
      for (const each of [context.peer, peer])
        if (!isMetadataNode(members.activeByPeer(each)))
          throw notAllowed('metadata nodes alone ask each other, and of each other, who answers', {
            peer: each,
          });
      return { answers: await this.#probe(peer, context.signal) };
    });
  }

  /** Resolves with true as soon as `peer` answers this node or, as it says, any other metadata node; false when none heard it in time. */
  async isAnswering(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    const { network, members } = this.#components;
    const helpers = members
      .withRole('meta')
      .filter((each) => each.peer !== peer && each.peer !== network.localPeer);
    const answers = [
      this.#probe(peer, signal),
      ...helpers.map((helper) => this.#ask(helper.peer, peer, signal)),
    ];
    const outcome = Promise.withResolvers<boolean>();
    for (const answer of answers)
      void answer.then((isAnswering) => {
        if (isAnswering) outcome.resolve(true);
      });
    void Promise.all(answers).then(() => outcome.resolve(false));
    return outcome.promise;
  }

  /** Any answer will do; this one costs nothing. */
  async #probe(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    try {
      const options = { signal, timeoutMs: PROBE_TIMEOUT_MS };
      await call(this.#components.network, peer, FEATURE_LEVEL, {}, options);
      return true;
    } catch (error) {
      this.#components.logger.debug('presence.no-answer', { peer, error: describeError(error) });
      return false;
    }
  }

  /** Who is silent itself, or is of a release that cannot tell, has nothing to say for `peer`. */
  async #ask(helper: PeerId, peer: PeerId, signal: AbortSignal): Promise<boolean> {
    try {
      const options = { signal, timeoutMs: ASK_TIMEOUT_MS };
      return (await call(this.#components.network, helper, ANSWERS, { peer }, options)).answers;
    } catch (error) {
      this.#components.logger.debug('presence.not-asked', { helper, peer, error: describeError(error) });
      return false;
    }
  }
}
