/** @module Applies the batches of log entries to the rows in memory, waiting only for rows that are not there. */
import { assert } from '../common/errors.ts';
import { featureLevelTooLow } from './errors.ts';
import { FIRST_FEATURE_LEVEL } from './feature-level.ts';
import { MAX_BLOCKS_PER_COMMAND } from './limits.ts';
import { MISSING_ROWS, type LoadedRows } from './missing-rows.ts';
import type { RowView } from './row-view.ts';
import { runCommand } from './run-command.ts';
import { type BlockRef, CommandBatch, type Result, type SessionCommand } from './schema.ts';
import type { ApplyContext } from './tree.ts';

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  /** A CommandBatch; empty for the no-op of a new leader. */
  readonly data: Uint8Array;
}

export interface DecodedEntry {
  readonly index: number;
  readonly term: number;
  readonly timeMs: number;
  readonly commands: readonly SessionCommand[];
}

/** Further commands tried out when one lacks rows, so that all their missing rows are loaded in one go. */
const LOOK_AHEAD_COMMANDS = 512;

/** Throws NAMESPACE_FEATURE_LEVEL_TOO_LOW for an entry above `supportedLevel`: guessing would split the replicas. */
export function decodeEntry(entry: LogEntry, supportedLevel: number): DecodedEntry {
  const { index, term, data } = entry;
  if (data.length === 0) return { index, term, timeMs: 0, commands: [] };
  const batch = CommandBatch.decode(data);
  assert(batch.format >= FIRST_FEATURE_LEVEL, `entry ${index} says which feature level it needs`);
  if (batch.format > supportedLevel) throw featureLevelTooLow(supportedLevel, batch.format);
  assert(
    Number.isSafeInteger(batch.timeMs) && batch.timeMs >= 0,
    `entry ${index} carries a time in milliseconds`,
  );
  return { index, term, timeMs: batch.timeMs, commands: batch.commands };
}

/** The commands from command `position` of entry `at` on, also those of later entries: as many as are worth a look. */
export function commandsFrom(
  entries: readonly DecodedEntry[],
  at: number,
  position: number,
): readonly SessionCommand[] {
  const ahead: SessionCommand[] = [];
  let from = position;
  for (let next = at; next < entries.length && ahead.length < LOOK_AHEAD_COMMANDS; next++) {
    const commands = entries[next]?.commands ?? [];
    ahead.push(...commands.slice(from, from + LOOK_AHEAD_COMMANDS - ahead.length));
    from = 0;
  }
  return ahead;
}

/**
 * The blocks a command brings, whose rows it will look for and hardly ever find in memory: they are new. Not looked up before,
 * they would have every command of an entry that writes files run twice, the first time only to find that out.
 */
export function newBlocksIn({ command }: SessionCommand): readonly BlockRef[] {
  const kind = command?.kind;
  switch (kind?.$case) {
    case 'createFile':
    case 'appendBlocks':
    case 'restoreEntry':
      // One that carries more is refused before it looks.
      return kind.value.blocks.length <= MAX_BLOCKS_PER_COMMAND ? kind.value.blocks : [];
    default:
      return [];
  }
}

/** Applies one command and keeps its changes. `ahead`: the commands after it, to be tried out when it lacks rows. */
export async function applySlowly(
  view: RowView,
  loaded: LoadedRows,
  request: SessionCommand,
  context: ApplyContext,
  ahead: readonly SessionCommand[],
): Promise<Result> {
  for (let lacking = ahead; ; ) {
    lacking = lacking.filter((next) => lacksRows(view, next, context));
    await loaded.load();
    const result = attempt(view, request, context);
    if (result === undefined) continue;
    view.commit();
    return result;
  }
}

/** Only the rows it asks for matter. It may ask for others once its forerunners are applied: then it waits itself. */
function lacksRows(view: RowView, request: SessionCommand, context: ApplyContext): boolean {
  try {
    runCommand(view, request, context);
    return false;
  } catch (signal) {
    // Else it makes no sense before its forerunners: what comes of it is settled in its turn.
    return signal === MISSING_ROWS;
  } finally {
    view.rollback();
  }
}

/** The command's result with its changes left in the view, or undefined when rows are missing. */
export function attempt(view: RowView, request: SessionCommand, context: ApplyContext): Result | undefined {
  try {
    return runCommand(view, request, context);
  } catch (signal) {
    if (signal !== MISSING_ROWS) throw signal;
    view.rollback();
    return undefined;
  }
}
