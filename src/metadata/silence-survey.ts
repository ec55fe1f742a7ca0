/** @module How long datanodes have been silent to anybody: asked of the other metadata nodes before one is held to be gone. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call, serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { SILENCE } from '../protocol/methods.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import { notAllowed } from './errors.ts';
import { isMetadataNode, type MemberDirectory } from './member-directory.ts';

export interface SilenceSurveyComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who does not answer by then has nothing to say for the datanode. */
const ASK_TIMEOUT_MS = 1_000;
const NEVER_HEARD = -1;

export class SilenceSurvey {
  readonly #components: SilenceSurveyComponents;
  /** Monotonic time at which some other metadata node last heard of a datanode. */
  readonly #heardMs = new Map<number, number>();

  constructor(components: SilenceSurveyComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, members, registry } = this.#components;
    serve(network, SILENCE, async ({ nodes }, { peer }) => {
      if (!isMetadataNode(members.activeByPeer(peer)))
        throw notAllowed('only a metadata node may ask who is silent', { peer });
      return { silentMs: nodes.map((node) => Math.round(registry.silentMs(node) ?? NEVER_HEARD)) };
    });
  }

  /** Asks every other metadata node; resolves when each has answered or had its time. Never rejects. */
  async ask(nodes: readonly number[], signal: AbortSignal): Promise<void> {
    const { network, members, clock, logger } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    await Promise.all(
      others.map(async ({ number, peer }) => {
        try {
          const options = { signal, timeoutMs: ASK_TIMEOUT_MS };
          const { silentMs } = await call(network, peer, SILENCE, { nodes: [...nodes] }, options);
          const nowMs = clock.monotonicMs();
          nodes.forEach((node, position) => this.#note(node, nowMs, silentMs[position] ?? NEVER_HEARD));
        } catch (error) {
          logger.debug('liveness.not-asked', { node: number, error: describeError(error) });
        }
      }),
    );
  }

  /** The shortest silence anybody reported, counted on to now; undefined when nobody has heard of it. */
  silentMs(node: number): number | undefined {
    const here = this.#components.registry.silentMs(node);
    const heardMs = this.#heardMs.get(node);
    if (heardMs === undefined) return here;
    const elsewhere = this.#components.clock.monotonicMs() - heardMs;
    return here === undefined ? elsewhere : Math.min(here, elsewhere);
  }

  #note(node: number, nowMs: number, silentMs: number): void {
    if (silentMs < 0) return;
    const heardMs = nowMs - silentMs;
    this.#heardMs.set(node, Math.max(heardMs, this.#heardMs.get(node) ?? heardMs));
  }
}
