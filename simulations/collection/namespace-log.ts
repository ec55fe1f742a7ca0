/** @module The namespace that ships, fed with commands by a single writer instead of a cluster. */
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { Command, CommandBatch, type Result } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { WORLD_EPOCH_MS } from '../world/process-clock.ts';

type Kind = NonNullable<Command['kind']>;
type Case = Kind['$case'];
type Fields<C extends Case> = Partial<Extract<Kind, { $case: C }>['value']>;

export class NamespaceLog {
  readonly machine: StateMachine;
  #index = 0;

  private constructor(machine: StateMachine) {
    this.machine = machine;
  }

  /** Eras and graces are `stepMs` long; what counts is their number. */
  static async found(stepMs: number): Promise<NamespaceLog> {
    const log = new NamespaceLog(await StateMachine.open({ store: new MemoryRowStore() }));
    const cluster = { id: 'c', epoch: 1, name: 'model', createdMs: 0, defaultReplication: 2 };
    const settings = { defaultBlockSizeBytes: 0, voters: 0, voterReplacementMs: 0 };
    await log.propose('genesis', {
      cluster: { ...cluster, ...settings, featureLevel: SUPPORTED_FEATURE_LEVEL },
    });
    await log.propose('configureCollection', { eraMs: stepMs, graceMs: stepMs });
    return log;
  }

  /** 'done', 'stat' … or the code of the refusal, and the facts that came with it. */
  async propose<C extends Case>(kind: C, fields: Fields<C>): Promise<{ outcome: string; facts: string }> {
    const command = Command.fromPartial({ kind: { $case: kind, value: fields } as never });
    const request = { session: '', sequence: 0, ackedBelow: 0, command };
    const batch = { format: SUPPORTED_FEATURE_LEVEL, timeMs: WORLD_EPOCH_MS, commands: [request] };
    this.#index += 1;
    const data = CommandBatch.encode(batch).finish();
    const [[result] = []] = await this.machine.apply([{ index: this.#index, term: 1, data }]);
    return outcomeOf(result);
  }

  /** Lets housekeeping free what was detached. */
  async clean(): Promise<void> {
    while (this.machine.housekeepingDue(WORLD_EPOCH_MS)) await this.propose('housekeeping', { limit: 64 });
  }

  async era(): Promise<number> {
    return (await this.machine.references([])).collection.era;
  }
}

function outcomeOf(result: Result | undefined): { outcome: string; facts: string } {
  const kind = result?.kind;
  if (kind?.$case === 'refused') return { outcome: kind.value.code, facts: kind.value.factsJson };
  return { outcome: kind?.$case ?? 'nothing', facts: '{}' };
}
