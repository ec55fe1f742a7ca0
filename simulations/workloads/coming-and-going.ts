/** @module A datanode that comes and goes: whatever is under way to it, nothing that was acknowledged is lost, and the index knows it again. */
import type { Actor, Workload, WorkloadComponents, WorkloadDatanode } from './workload.ts';

export class ComingAndGoing implements Workload {
  readonly #datanodes: () => readonly WorkloadDatanode[];

  constructor({ datanodes }: WorkloadComponents) {
    this.#datanodes = datanodes;
  }

  async setUp(): Promise<void> {}

  async step({ random }: Actor): Promise<void> {
    const datanode = this.#datanodes().at(-1);
    if (datanode?.isRunning !== true) datanode?.start();
    else datanode.crash(random.pick(['silent', 'refused'] as const));
  }

  /** Everybody was healed when the last step was over. The oracle looks at the copies and the index. */
  async check(): Promise<void> {}
}
