/** @module A state machine with a cluster founded in it, driven one command or batch at a time. */
import { sha256 } from '../../src/common/hashing.ts';
import { MIB } from '../../src/common/bytes.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { MAX_LIST_ENTRIES } from '../../src/namespace/limits.ts';
import {
  type BlockRef,
  Command,
  CommandBatch,
  type Grant,
  type Member,
  type Result,
  type SessionCommand,
  type Stat,
} from '../../src/namespace/schema.ts';
import { StateMachine, type StateMachineOptions } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { RowStore } from '../../src/storage/row-store.ts';

type Kind = NonNullable<Command['kind']>;
type Case = Kind['$case'];
type Fields<C extends Case> = Partial<Extract<Kind, { $case: C }>['value']>;
export type Request = Omit<SessionCommand, 'command'> & { command: Command };

export const START_MS = 1_700_000_000_000;

export function command<C extends Case>(kind: C, fields: Fields<C>): Command {
  return Command.fromPartial({ kind: { $case: kind, value: fields } as never });
}

export function block(text: string, sizeBytes: number = MIB): BlockRef {
  return { hash: new Uint8Array(sha256(Buffer.from(text))), sizeBytes };
}

export class FoundedMachine {
  machine: StateMachine;
  readonly store: RowStore;
  readonly options: StateMachineOptions;
  index: number;
  timeMs: number = START_MS;

  private constructor(machine: StateMachine, store: RowStore, options: StateMachineOptions) {
    this.machine = machine;
    this.store = store;
    this.options = options;
    this.index = machine.appliedIndex;
  }

  static async create(
    store: RowStore = new MemoryRowStore(),
    options: StateMachineOptions = {},
    featureLevel: number = SUPPORTED_FEATURE_LEVEL,
  ): Promise<FoundedMachine> {
    const founded = new FoundedMachine(await StateMachine.open({ store }, options), store, options);
    await founded.do('genesis', {
      cluster: {
        id: 'c1',
        epoch: 1,
        name: 'test',
        createdMs: 0,
        defaultReplication: 3,
        defaultBlockSizeBytes: 0,
        voters: 0,
        voterReplacementMs: 0,
        featureLevel,
      },
      members: [member('peer-1', 'meta', 'data')],
    });
    return founded;
  }

  /** A machine that somebody else opened, with a cluster in it. */
  static opened(machine: StateMachine, store: RowStore): FoundedMachine {
    return new FoundedMachine(machine, store, {});
  }

  /** Opens the machine anew from its store, losing what was not flushed. */
  async reopen(): Promise<void> {
    this.machine = await StateMachine.open({ store: this.store }, this.options);
    this.index = this.machine.appliedIndex;
  }

  do<C extends Case>(kind: C, fields: Fields<C>): Promise<Result> {
    return this.send({ session: '', sequence: 0, ackedBelow: 0, command: command(kind, fields) });
  }

  async send(request: Request): Promise<Result> {
    const [result] = await this.batch([request]);
    return result as Result;
  }

  async batch(commands: readonly Request[]): Promise<Result[]> {
    const data = CommandBatch.encode({
      format: SUPPORTED_FEATURE_LEVEL,
      timeMs: this.timeMs,
      commands: [...commands],
    }).finish();
    const [results] = await this.machine.apply([{ index: ++this.index, term: 1, data }]);
    return results as Result[];
  }

  /** Stores a whole file at once. */
  put(path: string, ...texts: string[]): Promise<Result> {
    return this.do('createFile', { path, complete: true, blocks: texts.map((text) => block(text)) });
  }

  async names(path: string): Promise<string[]> {
    const { entries, more } = await this.machine.list(path, '', MAX_LIST_ENTRIES);
    if (more) throw new Error(`${path} has more than one page of entries`);
    return entries.map(({ name }) => name);
  }

  /** Lets housekeeping run until nothing is left to do. */
  async clean(limit = 1000): Promise<void> {
    while (this.machine.housekeepingDue(this.timeMs)) await this.do('housekeeping', { limit });
  }
}

export function member(peer: string, ...roles: string[]): Member {
  return { number: 0, peer, roles, name: peer, host: '', zone: '', addresses: [], joinedMs: 0, state: '' };
}

/** 'done', 'stat', … or the code of the refusal. */
export function outcome(result: Result): string {
  return result.kind?.$case === 'refused' ? result.kind.value.code : (result.kind?.$case ?? 'nothing');
}

export function statOf(result: Result): Stat {
  if (result.kind?.$case !== 'stat') throw new Error(`expected a stat, got ${JSON.stringify(result)}`);
  return result.kind.value;
}

export function grantOf(result: Result): Grant {
  if (result.kind?.$case !== 'grant') throw new Error(`expected a grant, got ${JSON.stringify(result)}`);
  return result.kind.value;
}

export function memberOf(result: Result): Member {
  if (result.kind?.$case !== 'member') throw new Error(`expected a member, got ${JSON.stringify(result)}`);
  return result.kind.value;
}
