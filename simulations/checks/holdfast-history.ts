/**
 * @module Histories as our own clients write them: a head `{"holdfast":"history","model":"register"}`, then one operation a line,
 * `{"client":1,"call":{…},"start":12.5,"end":14}`; without an end where nobody knows whether it happened.
 */
import { describeError } from '../../src/common/errors.ts';
import { malformed } from './errors.ts';
import type { Operation } from './operation.ts';

/** Whose calls are recorded. */
export type HistoryModel = 'register' | 'namespace';

const KINDS: Readonly<Record<HistoryModel, readonly string[]>> = {
  register: ['read', 'write', 'cas'],
  namespace: ['mkdir', 'rmdir', 'put', 'unlink', 'rename', 'list', 'stat'],
};

/** Undefined where `firstLine` is no head. Error: CHECK_MALFORMED_HISTORY for a head of an unknown model. */
export function historyModelOf(firstLine: string): HistoryModel | undefined {
  if (!firstLine.trimStart().startsWith('{"holdfast"')) return undefined;
  const { model } = parseObject(1, firstLine) as { model?: string };
  if (model !== 'register' && model !== 'namespace')
    throw malformed(1, `a history of '${model ?? ''}' is not known`);
  return model;
}

/** The first of `lines` is the head. Error: CHECK_MALFORMED_HISTORY, with the line. */
export function parseHoldfastHistory<Call>(
  lines: Iterable<string>,
  model: HistoryModel,
): readonly Operation<Call>[] {
  const operations: Operation<Call>[] = [];
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (number === 1 || line.trim() === '') continue;
    const operation = parseObject(number, line);
    if (!isOperation(operation, model)) throw malformed(number, `no operation of a history of ${model}`);
    operations.push(operation as unknown as Operation<Call>);
  }
  return operations;
}

function parseObject(line: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(line, describeError(error));
  }
}

interface Raw {
  readonly client?: unknown;
  readonly call?: { readonly kind?: unknown };
  readonly start?: unknown;
  readonly end?: unknown;
}

function isOperation(value: unknown, model: HistoryModel): boolean {
  const { client, call, start, end } = (value ?? {}) as Raw;
  return (
    typeof client === 'number' &&
    typeof call?.kind === 'string' &&
    KINDS[model].includes(call.kind) &&
    typeof start === 'number' &&
    (end === undefined || (typeof end === 'number' && end >= start))
  );
}
