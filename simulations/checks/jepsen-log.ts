/** @module The log of a Jepsen test of one register: `INFO  jepsen.util - 3  :invoke  :cas  [2 1]`. */
import { malformed } from './errors.ts';
import { HistoryBuilder, type HistoryEvent } from './history-text.ts';
import type { Operation } from './operation.ts';
import type { RegisterCall, RegisterValue } from './register-call.ts';

const KEY = 'register';
const LOG_LINE = /^(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\s+\S+\s+-(?:\s|$)/;
/** The nemesis reports beside the numbered processes; it is no client. */
const CLIENT_LINE = /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+(.*)$/;
const EVENT = /^:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.*?)\s*$/;
const VALUE = /^(?:nil|-?\d+)$/;
const PAIR = /^\[\s*(\S+)\s+(\S+)\s*\]$/;
const TIMED_OUT = ':timed-out';

export function isJepsenLog(firstLine: string): boolean {
  return LOG_LINE.test(firstLine);
}

/** Error: CHECK_MALFORMED_HISTORY, with the line. */
export function parseJepsenLog(lines: Iterable<string>): readonly Operation<RegisterCall>[] {
  const history = new HistoryBuilder<RegisterCall>();
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const [, process, rest = ''] = CLIENT_LINE.exec(line) ?? [];
    if (process !== undefined) history.add(number, eventOf(number, Number(process), rest));
    else if (!LOG_LINE.test(line)) throw malformed(number, `'${line.slice(0, 80)}' is no line of a log`);
  }
  return history.build();
}

function eventOf(line: number, process: number, text: string): HistoryEvent<RegisterCall> {
  const [, type, kind, argument = ''] = EVENT.exec(text) ?? [];
  if (type === undefined || kind === undefined)
    throw malformed(line, `'${text}' is no :invoke, :ok, :fail or :info of a :read, :write or :cas`);
  const event = { process, type: type as HistoryEvent<RegisterCall>['type'], kind };
  // Who gave up on a read learnt nothing; a change that surely failed is none.
  if (type === 'info' || (type === 'fail' && (kind !== 'cas' || argument === TIMED_OUT))) return event;
  return { ...event, call: callOf(line, kind, type, argument) };
}

function callOf(line: number, kind: string, type: string, argument: string): RegisterCall {
  if (kind === 'cas') {
    const [, from = '', to = ''] = PAIR.exec(argument) ?? [];
    const values = { from: valueOf(line, from), to: valueOf(line, to) };
    return { kind: 'cas', key: KEY, ...values, ...(type !== 'invoke' && { isDone: type === 'ok' }) };
  }
  const value = valueOf(line, argument);
  if (kind === 'write') return { kind: 'write', key: KEY, value };
  return { kind: 'read', key: KEY, ...(type !== 'invoke' && { value }) };
}

function valueOf(line: number, text: string): RegisterValue {
  if (!VALUE.test(text)) throw malformed(line, `'${text}' is no value: a whole number or nil is`);
  return text === 'nil' ? null : Number(text);
}
