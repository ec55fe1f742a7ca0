/** @module A namespace driven by hand: its log is a list, and each command is an entry of its own. */
import { bootstrapCluster } from '../src/metadata/genesis.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../src/namespace/feature-level.ts';
import type { LogEntry } from '../src/namespace/apply-batches.ts';
import { type Command, CommandBatch, type Result } from '../src/namespace/schema.ts';
import { StateMachine } from '../src/namespace/state-machine.ts';
import { MemoryRaftLog } from '../src/storage/memory-raft-log.ts';
import type { RowStore } from '../src/storage/row-store.ts';
import { founding, peerOf } from './cluster/founding.ts';
import { WORLD_EPOCH_MS } from './world/process-clock.ts';

type Kind = NonNullable<Command['kind']>;

/** Of a command: '' and 0 outside of every session. */
export interface Place {
  readonly session: string;
  readonly sequence: number;
}

const NO_SESSION: Place = { session: '', sequence: 0 };

export class ManualNamespace {
  readonly machine: StateMachine;
  /** Everything that was ever sent here; another machine may be given it. */
  readonly log: LogEntry[];

  private constructor(machine: StateMachine, log: LogEntry[]) {
    this.machine = machine;
    this.log = log;
  }

  /** Opens what `store` holds, and applies of `log` what comes behind that. A new cluster when there is no log. */
  static async open(store: RowStore, log: readonly LogEntry[] = []): Promise<ManualNamespace> {
    const machine = await StateMachine.open({ store });
    const whole = log.length > 0 ? [...log] : await genesisLog();
    const namespace = new ManualNamespace(machine, whole);
    await machine.apply(whole.filter(({ index }) => index > machine.appliedIndex));
    return namespace;
  }

  /** Appends and applies one command. */
  async send(kind: Kind, place: Place = NO_SESSION): Promise<Result['kind']> {
    const commands = [{ ...place, ackedBelow: 0, command: { kind } }];
    const data = CommandBatch.encode({ format: SUPPORTED_FEATURE_LEVEL, timeMs: WORLD_EPOCH_MS, commands });
    const entry = { index: this.log.length + 1, term: 1, data: data.finish() };
    this.log.push(entry);
    const [results] = await this.machine.apply([entry]);
    return results?.[0]?.kind;
  }

  makeDirectory(path: string, place: Place = NO_SESSION): Promise<Result['kind']> {
    const value = { path, parents: false, attributes: undefined };
    return this.send({ $case: 'makeDirectory', value }, place);
  }

  openSession(id: string): Promise<Result['kind']> {
    return this.send({ $case: 'openSession', value: { id, owner: '' } });
  }

  /** Names in the root directory. */
  async names(): Promise<string[]> {
    const { entries } = await this.machine.list('/', '', 1_000);
    return entries.map(({ name }) => name);
  }
}

/** The membership change that founds a cluster is no business of the namespace: an empty entry stands for it. */
async function genesisLog(): Promise<LogEntry[]> {
  const log = new MemoryRaftLog();
  await bootstrapCluster(log, founding(peerOf(1), 3, SUPPORTED_FEATURE_LEVEL));
  return log.entries(1, log.lastIndex() + 1, Infinity).map(({ index, term, type, data }) => ({
    index,
    term,
    data: type === 'EntryNormal' ? data : new Uint8Array(0),
  }));
}
