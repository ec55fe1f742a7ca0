/** @module What becomes of a process that cannot go on: what a supervisor, `holdfast node start` and an administrator do. */
import { type HoldfastError, isHoldfastError } from '../../src/common/errors.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { PeerId } from '../../src/network/network.ts';
import { hasLostState } from '../../src/node/readmission.ts';
import type { JoinResponse } from '../../src/protocol/messages.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import { ClientProcess } from './client-process.ts';
import type { ClusterWorld } from './cluster-world.ts';
import type { Process } from './fault-actions.ts';
import { CLUSTER_ID } from './founding.ts';
import { MetadataProcess } from './metadata-process.ts';

/** After a failed write somebody looks at the disk and starts the node again, in milliseconds. */
const REPAIR_MS = 2_000;

export interface SupervisorComponents {
  readonly shared: ClusterWorld;
  readonly say: (text: string) => void;
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
  readonly startLater: (process: Process, afterMs: number) => void;
  /** It is never started again. */
  readonly giveUp: (process: Process) => void;
  /** Metadata nodes that may answer. */
  readonly others: (peer: PeerId) => readonly MetadataProcess[];
  /** On an empty disk, under a new number. */
  readonly comeBack: (member: Member, peer: PeerId, seeds: readonly Member[]) => void;
  /** Takes a member out, as an administrator does. */
  readonly remove: (number: number) => Promise<unknown>;
}

export interface SupervisorOptions {
  readonly seed: number;
  readonly thinkMs: number;
}

export class Supervisor {
  readonly #components: SupervisorComponents;
  readonly #options: SupervisorOptions;
  readonly #handledFailures = new Map<Process, number>();

  constructor(components: SupervisorComponents, options: SupervisorOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Every reason to stop that is not expected is a failure of the run. */
  stopped(process: Process, error: Error): void {
    const { say, fail, shared, giveUp, startLater } = this.#components;
    say(`node ${process.number} stops: ${error.message}`);
    const { health, isHarmed, areRowsRotten } = process.machine;
    // Of a copy that nobody can vouch for, a person must decide (cluster recover).
    const isHopeless = isHarmed && isHoldfastError(error, 'METADATA_COPY_ALONE');
    if (isHopeless || isHoldfastError(error, 'METADATA_REMOVED')) giveUp(process);
    else if (isHarmed && hasLostState(error) && process instanceof MetadataProcess)
      this.#readmit(process, error).catch(fail);
    else if (areRowsRotten) this.#makeRowsAnew(process);
    else if (isTooOld(error) && process instanceof MetadataProcess) this.#upgrade(process);
    else if (health.failures > (this.#handledFailures.get(process) ?? 0)) startLater(process, REPAIR_MS);
    else fail(new SafetyViolation(`Node ${process.number} stopped for no reason: ${error.message}`));
    this.#handledFailures.set(process, health.failures);
    // Not at once: the node itself is still in the middle of telling us.
    shared.world.after(0, () => process.crash('refused'));
  }

  /** Its version is too old for what the cluster does by now. */
  #upgrade(process: MetadataProcess): void {
    this.#components.shared.coverage.saw('older versions turned away');
    process.install(SUPPORTED_FEATURE_LEVEL);
    this.#components.startLater(process, REPAIR_MS);
  }

  #makeRowsAnew(process: Process): void {
    const { shared, startLater } = this.#components;
    shared.coverage.saw('namespaces made anew from the log');
    shared.world.after(1, () => process.machine.setRowsAside());
    startLater(process, REPAIR_MS);
  }

  /** It does not vote with what it has left, and comes back as another. */
  async #readmit(process: MetadataProcess, lost: HoldfastError): Promise<void> {
    const { shared, giveUp, comeBack } = this.#components;
    giveUp(process);
    for (;;) {
      await shared.world.pass(REPAIR_MS);
      const answer = await this.#ask(process, lost);
      if (answer === 'never') return;
      if (answer === 'later') continue;
      const { member, metadataNodes } = answer;
      if (member === undefined) throw new SafetyViolation('a readmission was answered without a member');
      shared.coverage.saw('nodes readmitted under a new number');
      return comeBack(member, process.peer, metadataNodes);
    }
  }

  async #ask(process: MetadataProcess, lost: HoldfastError): Promise<JoinResponse | 'later' | 'never'> {
    const { shared, say, others } = this.#components;
    const { number, peer } = process;
    const asker = new ClientProcess(shared, { id: -1, peer, ...this.#options });
    await asker.network.start();
    try {
      return await asker.askForNumber({
        self: { clusterId: CLUSTER_ID, epoch: 1, number },
        others: others(peer).map((other) => ({ number: other.number, peer: other.peer, addresses: [] })),
        lost,
      });
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      const { cause } = error;
      say(`node ${number} is not readmitted: ${error.message}`);
      if (isHoldfastError(error, 'METADATA_REMOVED')) return 'never';
      if (isHoldfastError(cause, 'NAMESPACE_FEATURE_NOT_ACTIVE')) await this.#remove(number);
      return 'later';
    } finally {
      // Before the node comes back: they have one address.
      await asker.network.stop();
    }
  }

  /** Clusters of the first level know no readmission, and do not leave that level while a node does not answer. */
  async #remove(number: number): Promise<void> {
    try {
      await this.#components.remove(number);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      this.#components.say(`node ${number} is not removed: ${error.code}`);
    }
  }
}

/** It says so when it opens its rows, or when it meets a newer entry in its log. */
function isTooOld(error: Error): boolean {
  return [error, error.cause].some((reason) => isHoldfastError(reason, 'NAMESPACE_FEATURE_LEVEL_TOO_LOW'));
}
