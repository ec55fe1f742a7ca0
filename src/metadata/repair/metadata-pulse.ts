/** @module Which of the other metadata nodes answer, and what each of them, as keeper, has to report. */
import type { Clock } from '../../common/clock.ts';
import { describeError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import { call } from '../../network/method.ts';
import type { Network, PeerId } from '../../network/network.ts';
import type { KeeperReport } from '../../protocol/messages.ts';
import { KEEPER_REPORT } from '../../protocol/methods.ts';
import type { MemberDirectory } from '../member-directory.ts';

export interface MetadataPulseComponents {
  readonly network: Network;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IDLE_MS = 1_000;
const ASK_TIMEOUT_MS = 1_000;
/** One that has not answered for this long keeps nothing any more; others take its shards. */
export const SILENT_MS = 3_000;

export class MetadataPulse implements BackgroundWorker {
  readonly name = 'metadata-pulse';
  readonly idleMs: number = IDLE_MS;
  readonly #components: MetadataPulseComponents;
  readonly #heardMs = new Map<PeerId, number>();
  readonly #startMs: number;

  constructor(components: MetadataPulseComponents) {
    this.#components = components;
    this.#startMs = components.clock.monotonicMs();
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    await this.reports(signal);
    return 'idle';
  }

  /** Every node is taken for alive until it had the time to answer. */
  isAlive(peer: PeerId): boolean {
    const { network, clock } = this.#components;
    if (peer === network.localPeer) return true;
    return clock.monotonicMs() - (this.#heardMs.get(peer) ?? this.#startMs) < SILENT_MS;
  }

  /** Asks all the others now. Those that do not answer in time are left out. Never rejects. */
  async reports(signal: AbortSignal): Promise<readonly KeeperReport[]> {
    const { network, members, clock, logger } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    for (const peer of this.#heardMs.keys())
      if (!others.some((other) => other.peer === peer)) this.#heardMs.delete(peer);
    const answers = await Promise.all(
      others.map(async ({ number, peer }) => {
        try {
          const report = await call(network, peer, KEEPER_REPORT, {}, { signal, timeoutMs: ASK_TIMEOUT_MS });
          this.#heardMs.set(peer, clock.monotonicMs());
          return report;
        } catch (error) {
          logger.debug('repair.no-report', { node: number, error: describeError(error) });
          return undefined;
        }
      }),
    );
    return answers.filter((report) => report !== undefined);
  }
}
