/** @module Small write transactions as one script: each statement by itself costs two changes of thread. */
import type { SqlValue } from './sql-value.ts';

export interface SqlStatement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** Above this, parsing the literals costs more than the changes of thread; measured between 4 and 8 KiB. */
const MAX_SCRIPT_CHARACTERS = 8 * 1024;

/**
 * BEGIN IMMEDIATE, the statements with their values as literals, COMMIT. Undefined when that would be too long, or when a
 * value has no literal: a text with a NUL, which would end the script, and a number that is no safe integer.
 */
export function transactionScript(statements: readonly SqlStatement[]): string | undefined {
  const parts = ['BEGIN IMMEDIATE'];
  let characters = 0;
  for (const { text, values } of statements) {
    // Not yet rendered, so that a large blob is not turned into text for nothing.
    for (const value of values) characters += value instanceof Uint8Array ? 2 * value.byteLength : 8;
    if (characters > MAX_SCRIPT_CHARACTERS) return undefined;
    const literals = values.map(literal);
    if (literals.includes(undefined)) return undefined;
    const rendered = text.split('?').reduce((sql, piece, at) => `${sql}${literals[at - 1]}${piece}`);
    characters += rendered.length;
    if (characters > 2 * MAX_SCRIPT_CHARACTERS) return undefined;
    parts.push(rendered);
  }
  parts.push('COMMIT');
  return parts.join(';');
}

function literal(value: SqlValue): string | undefined {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === 'string') return value.includes('\0') ? undefined : `'${value.replaceAll("'", "''")}'`;
  return `X'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}'`;
}
