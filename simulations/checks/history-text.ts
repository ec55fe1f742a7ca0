/** @module Events of a history file, one a line, put together into operations. */
import { malformed } from './errors.ts';
import type { Operation } from './operation.ts';

export interface HistoryEvent<Call> {
  readonly process: number;
  /** `fail`: surely nothing happened, or a refusal that itself tells something (`call`); `info`: nobody knows. */
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  /** Of the operation, so that an answer is not taken for another's. */
  readonly kind: string;
  /** The request; with the answer where there is one, absent where there is nothing to be learnt. */
  readonly call?: Call;
}

/** Puts invocations and answers together as they are added, line by line. */
export class HistoryBuilder<Call> {
  readonly #operations: Operation<Call>[] = [];
  readonly #open = new Map<number, { readonly kind: string; readonly call: Call; readonly start: number }>();

  /** Lines count from 1 and stand for instants. Error: CHECK_MALFORMED_HISTORY. */
  add(line: number, { process, type, kind, call }: HistoryEvent<Call>): void {
    const open = this.#open.get(process);
    if (type === 'invoke') {
      if (open !== undefined)
        throw malformed(
          line,
          `process ${process} asks again before its ${open.kind} of line ${open.start} ended`,
        );
      if (call === undefined) throw malformed(line, `a ${kind} without a request`);
      this.#open.set(process, { kind, call, start: line });
      return;
    }
    if (open === undefined) throw malformed(line, `process ${process} is answered and has not asked`);
    if (open.kind !== kind)
      throw malformed(line, `process ${process} asked for a ${open.kind} and is answered a ${kind}`);
    this.#open.delete(process);
    const { start } = open;
    if (type === 'info') this.#operations.push({ client: process, call: open.call, start });
    else if (call !== undefined) this.#operations.push({ client: process, call, start, end: line });
  }

  /** What never ended may have happened. */
  build(): readonly Operation<Call>[] {
    const unended = [...this.#open].map(([client, { call, start }]) => ({ client, call, start }));
    return [...this.#operations, ...unended];
  }
}
