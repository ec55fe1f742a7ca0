/** @module A history of a key-value store, a map of EDN a line: `{:process 2, :type :ok, :f :get, :key "0", :value ""}`. */
import { malformed } from './errors.ts';
import { HistoryBuilder, type HistoryEvent } from './history-text.ts';
import type { KeyValueCall } from './key-value-call.ts';
import type { Operation } from './operation.ts';

/** A keyword, a whole number, nil, or a string with escapes: all that such a map holds. */
const ENTRY =
  /\s*:([a-z][a-z0-9-]*)\s+(?:(:[a-z][a-z0-9-]*)|(-?\d+)|(nil)|("(?:[^"\\]|\\.)*"))\s*(?:,|(?=\}|\s))/y;
const TYPES: readonly string[] = ['invoke', 'ok', 'fail', 'info'];
const KINDS: readonly string[] = ['get', 'put', 'append'];

type Scalar = string | number | null;

export function isEdnHistory(firstLine: string): boolean {
  return firstLine.trimStart().startsWith('{');
}

/** Error: CHECK_MALFORMED_HISTORY, with the line. */
export function parseEdnHistory(lines: Iterable<string>): readonly Operation<KeyValueCall>[] {
  const history = new HistoryBuilder<KeyValueCall>();
  const keys = new Map<number, string>();
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const event = eventOf(number, parseMap(number, line.trim()));
    const key = event.key;
    if (event.type === 'invoke') keys.set(event.process, key);
    else if (keys.has(event.process) && keys.get(event.process) !== key)
      throw malformed(number, `process ${event.process} asked of key ${keys.get(event.process)}, not ${key}`);
    history.add(number, event);
  }
  return history.build();
}

function parseMap(line: number, text: string): ReadonlyMap<string, Scalar> {
  const wrong = (at: number): Error => malformed(line, `no map of EDN: '${text.slice(at, at + 40)}'`);
  if (!text.startsWith('{') || !text.endsWith('}')) throw wrong(0);
  const entries = new Map<string, Scalar>();
  ENTRY.lastIndex = 1;
  for (let at = 1; text.slice(at).trim() !== '}'; at = ENTRY.lastIndex) {
    ENTRY.lastIndex = at;
    const [, name, keyword, number, nil, quoted] = ENTRY.exec(text) ?? [];
    if (name === undefined) throw wrong(at);
    if (number !== undefined) entries.set(name, Number(number));
    else entries.set(name, nil === undefined ? (keyword ?? unquote(line, quoted ?? '')) : null);
  }
  return entries;
}

function unquote(line: number, quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw malformed(line, `${quoted} is no string: ${String(cause)}`);
  }
}

function eventOf(
  line: number,
  entries: ReadonlyMap<string, Scalar>,
): HistoryEvent<KeyValueCall> & { readonly key: string } {
  const process = entries.get('process');
  if (typeof process !== 'number') throw malformed(line, ':process must be a whole number');
  const type = keywordOf(line, entries, 'type', TYPES) as HistoryEvent<KeyValueCall>['type'];
  const kind = keywordOf(line, entries, 'f', KINDS) as KeyValueCall['kind'];
  const key = entries.get('key') ?? null;
  if (key === null) throw malformed(line, ':key is missing');
  const event = { process, type, kind, key: String(key) };
  if (type === 'info' || type === 'fail') return event;
  if (kind === 'get' && type === 'invoke') return { ...event, call: { kind, key: event.key } };
  const value = entries.get('value') ?? (kind === 'get' ? '' : null);
  if (value === null) throw malformed(line, `:value is missing, which a ${kind} needs`);
  return { ...event, call: { kind, key: event.key, value: String(value) } };
}

function keywordOf(
  line: number,
  entries: ReadonlyMap<string, Scalar>,
  name: string,
  allowed: readonly string[],
): string {
  const word = String(entries.get(name) ?? '').replace(/^:/, '');
  if (!allowed.includes(word))
    throw malformed(line, `:${name} must be one of ${allowed.map((one) => `:${one}`).join(', ')}`);
  return word;
}
