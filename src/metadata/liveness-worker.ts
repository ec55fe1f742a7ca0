/** @module The leader commits what becomes of silent datanodes, once no metadata node hears them, and of those that return. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { LivenessChange, Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { DatanodeRegistry } from './datanode-registry.ts';
import { type DatanodeStates, LIVENESS_LEVEL } from './datanode-states.ts';
import { judge, type KnownLiveness } from './liveness-judge.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { SilenceReports } from './silence-reports.ts';
import type { SilenceSurvey } from './silence-survey.ts';

export interface LivenessWorkerComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly survey: SilenceSurvey;
  readonly reports: SilenceReports;
  readonly driver: RaftDriver;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IDLE_MS = 200;
/** Two looks further apart mean that this process stood still, and heard nobody for that long. */
const STANDSTILL_MS = 1_000;
/** The others are asked about silent datanodes this often, and whenever one is about to be given up. */
const ASK_PERIOD_MS = 1_000;

export class LivenessWorker implements BackgroundWorker {
  readonly name = 'liveness';
  readonly idleMs: number = IDLE_MS;
  readonly #components: LivenessWorkerComponents;
  #lastLookMs: number | undefined;
  #periodMs: number | undefined;
  #patienceUntilMs = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(components: LivenessWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, driver, clock } = this.#components;
    const nowMs = clock.monotonicMs();
    const stoodStill = this.#lastLookMs !== undefined && nowMs - this.#lastLookMs > STANDSTILL_MS;
    this.#lastLookMs = nowMs;
    // What was said meanwhile waits in queues: it is heard within a heartbeat.
    const { periodMs } = this.#components.states;
    // Datanodes are told of a shorter period with the next heartbeat of the longer one.
    const isShorter = this.#periodMs !== undefined && periodMs < this.#periodMs;
    if (stoodStill || isShorter)
      this.#patienceUntilMs = nowMs + periodMs + Math.max(periodMs, this.#periodMs ?? 0);
    this.#periodMs = periodMs;
    if (!driver.isLeader || machine.featureLevel < LIVENESS_LEVEL) return 'idle';
    try {
      await this.#commit(await this.#due(nowMs, signal), signal);
    } finally {
      // Waiting for a majority is no standstill of this process, and says nothing about what it hears.
      this.#lastLookMs = clock.monotonicMs();
    }
    return 'idle';
  }

  /** The others are asked last, and what they say is looked at again. */
  async #due(nowMs: number, signal: AbortSignal): Promise<readonly LivenessChange[]> {
    const { states, survey } = this.#components;
    const datanodes = this.#components.members.withRole('data');
    const silent = datanodes.filter(({ number }) => this.#silentMs(number) >= states.settings.suspectAfterMs);
    const isGivingUp = this.#changes(datanodes).some(({ liveness }) => liveness !== 'alive');
    if (silent.length > 0 && (isGivingUp || nowMs - this.#askedMs >= ASK_PERIOD_MS)) {
      this.#askedMs = nowMs;
      await survey.ask(
        silent.map(({ number }) => number),
        signal,
      );
    }
    const changes = this.#changes(datanodes);
    return nowMs < this.#patienceUntilMs ? changes.filter(({ liveness }) => liveness === 'alive') : changes;
  }

  #changes(datanodes: readonly Member[]): readonly { number: number; liveness: KnownLiveness }[] {
    const { states, survey, reports } = this.#components;
    const { periodMs } = states;
    return datanodes.flatMap(({ number, liveness }) => {
      const evidence = {
        liveness,
        silentMs: this.#silentMs(number),
        wasHeard: survey.silentMs(number) !== undefined,
        periodMs,
        isReportedSilent: reports.isReportedSilent(number),
      };
      const next = judge(evidence, states.settings);
      return next === undefined ? [] : [{ number, liveness: next }];
    });
  }

  /** One that nobody has heard of was silent at least since this node listens. */
  #silentMs(node: number): number {
    const { survey, registry } = this.#components;
    return survey.silentMs(node) ?? registry.listeningMs;
  }

  async #commit(changes: readonly LivenessChange[], signal: AbortSignal): Promise<void> {
    if (changes.length === 0) return;
    const { proposer, logger } = this.#components;
    await proposer.submitInternal({ $case: 'setLiveness', value: { changes: [...changes] } }, signal);
    for (const { number, liveness } of changes)
      logger[liveness === 'alive' ? 'info' : 'warn']('datanode.liveness', { datanode: number, liveness });
  }
}
