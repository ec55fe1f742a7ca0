/**
 * @module A history of a key-value store, a map of EDN a line: `{:process 2, :type :ok, :f :get, :key "0", :value ""}`; or, as
 * Knossos has it, of a register: `{:process 0, :type :invoke, :f :cas, :value [1 2]}`, of several where maps have a `:key`.
 */
import { type EdnValue, parseEdnMap } from './edn-map.ts';
import { malformed } from './errors.ts';
import { HistoryBuilder, type HistoryEvent } from './history-text.ts';
import type { KeyValueCall } from './key-value-call.ts';
import type { Operation } from './operation.ts';
import type { RegisterCall, RegisterValue } from './register-call.ts';

export type EdnHistory =
  | { readonly model: 'key-value'; readonly operations: readonly Operation<KeyValueCall>[] }
  | { readonly model: 'register'; readonly operations: readonly Operation<RegisterCall>[] };

type Entries = ReadonlyMap<string, EdnValue>;
type EventType = HistoryEvent<unknown>['type'];

/** Of an event, but for what it asks and answers. */
interface Opening {
  readonly process: number;
  readonly type: EventType;
  readonly kind: string;
  readonly key: string;
}

const TYPES: readonly string[] = ['invoke', 'ok', 'fail', 'info'];
const KEY_VALUE_KINDS: readonly string[] = ['get', 'put', 'append'];
const REGISTER_KINDS: readonly string[] = ['read', 'write', 'cas'];
/** What histories call their only register. */
const KEY = 'register';

export function isEdnHistory(firstLine: string): boolean {
  return firstLine.trimStart().startsWith('{');
}

/** The first operation of a client tells the model. Error: CHECK_MALFORMED_HISTORY, with the line. */
export function parseEdnHistory(lines: readonly string[]): EdnHistory {
  const maps = lines.flatMap((line, index): [number, Entries][] =>
    line.trim() === '' ? [] : [[index + 1, parseEdnMap(index + 1, line)]],
  );
  const events = maps.filter(([, entries]) => entries.get('process') !== ':nemesis');
  const isRegister = REGISTER_KINDS.includes(wordOf(events[0]?.[1].get('f')));
  return isRegister
    ? { model: 'register', operations: operationsOf(events, REGISTER_KINDS, registerCall) }
    : { model: 'key-value', operations: operationsOf(events, KEY_VALUE_KINDS, keyValueCall) };
}

function operationsOf<Call>(
  events: readonly (readonly [number, Entries])[],
  kinds: readonly string[],
  callOf: (line: number, opening: Opening, value: EdnValue) => Call,
): readonly Operation<Call>[] {
  const history = new HistoryBuilder<Call>();
  const keys = new Map<number, string>();
  for (const [line, entries] of events) {
    const opening = openingOf(line, entries, kinds);
    const { process, type, key } = opening;
    if (type === 'invoke') keys.set(process, key);
    else if (keys.has(process) && keys.get(process) !== key)
      throw malformed(line, `process ${process} asked of key ${keys.get(process)}, not ${key}`);
    // Who failed or gave up learnt nothing.
    const isTold = type === 'invoke' || type === 'ok';
    const value = entries.get('value') ?? null;
    history.add(line, isTold ? { ...opening, call: callOf(line, opening, value) } : opening);
  }
  return history.build();
}

function openingOf(line: number, entries: Entries, kinds: readonly string[]): Opening {
  const process = entries.get('process');
  if (typeof process !== 'number') throw malformed(line, ':process must be a whole number, or :nemesis');
  const type = keywordOf(line, entries, 'type', TYPES) as EventType;
  const kind = keywordOf(line, entries, 'f', kinds);
  const key = entries.get('key') ?? (kinds === REGISTER_KINDS ? KEY : null);
  if (key === null) throw malformed(line, ':key is missing');
  return { process, type, kind, key: String(key) };
}

function keyValueCall(line: number, { type, kind, key }: Opening, value: EdnValue): KeyValueCall {
  if (kind === 'get') return type === 'invoke' ? { kind, key } : { kind, key, value: String(value ?? '') };
  if (value === null) throw malformed(line, `:value is missing, which a ${kind} needs`);
  return { kind: kind as 'put' | 'append', key, value: String(value) };
}

function registerCall(line: number, { type, kind, key }: Opening, value: EdnValue): RegisterCall {
  if (kind === 'read') return { kind, key, ...(type === 'ok' && { value: registerValue(line, value) }) };
  if (kind === 'write') return { kind, key, value: registerValue(line, value) };
  if (!Array.isArray(value) || value.length !== 2)
    throw malformed(line, ':value of a cas must be a pair, [old new]');
  const [from = null, to = null] = (value as readonly EdnValue[]).map((one) => registerValue(line, one));
  return { kind: 'cas', key, from, to, ...(type === 'ok' && { isDone: true }) };
}

function registerValue(line: number, value: EdnValue): RegisterValue {
  if (typeof value === 'object' && value !== null)
    throw malformed(line, ':value of a register must be a number, a word or nil');
  return value;
}

function keywordOf(line: number, entries: Entries, name: string, allowed: readonly string[]): string {
  const word = wordOf(entries.get(name));
  if (!allowed.includes(word))
    throw malformed(line, `:${name} must be one of ${allowed.map((one) => `:${one}`).join(', ')}`);
  return word;
}

function wordOf(value: EdnValue | undefined): string {
  return typeof value === 'string' ? value.replace(/^:/, '') : '';
}
