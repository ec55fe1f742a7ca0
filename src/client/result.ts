/** @module Reads the results of mutations: a refusal becomes an error, anything unexpected too. */
import { HoldfastError, type ErrorFacts } from '../common/errors.ts';
import type { Grant, Refused, Removed, Result, Stat } from '../namespace/schema.ts';
import { unexpectedAnswer } from './errors.ts';

/** The result itself, unless it is a refusal: then throws it with the state machine's code, message and facts. */
export function accepted(operation: string, result: Result | undefined): Result {
  if (result?.kind === undefined) throw unexpectedAnswer(operation, 'nothing');
  if (result.kind.$case === 'refused') throw refusalOf(result.kind.value);
  return result;
}

export function statOf(operation: string, stat: Stat | undefined): Stat {
  if (stat === undefined) throw unexpectedAnswer(operation, 'no entry');
  return stat;
}

export function statResult(operation: string, { kind }: Result): Stat {
  if (kind?.$case !== 'stat') throw unexpectedAnswer(operation, kind?.$case ?? 'nothing');
  return kind.value;
}

export function grantResult(operation: string, { kind }: Result): Grant {
  if (kind?.$case !== 'grant') throw unexpectedAnswer(operation, kind?.$case ?? 'nothing');
  return kind.value;
}

export function removedResult(operation: string, { kind }: Result): Removed {
  if (kind?.$case !== 'removed') throw unexpectedAnswer(operation, kind?.$case ?? 'nothing');
  return kind.value;
}

function refusalOf({ code, message, factsJson }: Refused): HoldfastError {
  const facts = factsJson === '' ? {} : (JSON.parse(factsJson) as ErrorFacts);
  return new HoldfastError({ code, kind: 'refused', message: wellPut(code, message, facts), facts });
}

/** The words of a refusal are kept in the replicated state, where they cannot change: "1 entries" is put right here. */
function wellPut(code: string, message: string, { path, childCount }: ErrorFacts): string {
  if (code !== 'NAMESPACE_NOT_EMPTY' || childCount !== 1) return message;
  return `${String(path)} still has 1 entry. Remove it first, or remove the whole tree.`;
}
