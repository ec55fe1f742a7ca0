/** @module One map of EDN on a line, as histories have it: keywords to scalars, and to vectors of those. */
import { malformed } from './errors.ts';

/** A keyword, a whole number, nil, a string with escapes; true, false, other numbers and symbols stay words. */
const SCALAR =
  /(:[^\s,[\]{}"]+)|(-?\d+)(?![^\s,[\]{}"])|(nil)(?![^\s,[\]{}"])|"((?:[^"\\]|\\.)*)"|([^\s,[\]{}"]+)/y;
/** Commas are blanks to EDN. */
const BLANK = /[\s,]*/y;

export type EdnValue = string | number | null | EdnVector;
export interface EdnVector extends ReadonlyArray<EdnValue> {}

/** Names stand without their colon, keywords that are values with it. Error: CHECK_MALFORMED_HISTORY, with the line. */
export function parseEdnMap(line: number, text: string): ReadonlyMap<string, EdnValue> {
  return new Reader(line, text).map();
}

class Reader {
  readonly #line: number;
  readonly #text: string;
  #at = 0;

  constructor(line: number, text: string) {
    this.#line = line;
    this.#text = text;
  }

  map(): ReadonlyMap<string, EdnValue> {
    const entries = new Map<string, EdnValue>();
    if (!this.#takes('{')) throw this.#wrong();
    while (!this.#takes('}')) {
      const name = this.#value();
      if (typeof name !== 'string' || !name.startsWith(':')) throw this.#wrong();
      entries.set(name.slice(1), this.#value());
    }
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#wrong();
    return entries;
  }

  #value(): EdnValue {
    if (!this.#takes('[')) return this.#scalar();
    const items: EdnValue[] = [];
    while (!this.#takes(']')) items.push(this.#value());
    return items;
  }

  #scalar(): EdnValue {
    SCALAR.lastIndex = this.#at;
    const [all, keyword, number, nil, quoted, word] = SCALAR.exec(this.#text) ?? [];
    if (all === undefined) throw this.#wrong();
    this.#at += all.length;
    if (number !== undefined) return Number(number);
    if (nil !== undefined) return null;
    return quoted === undefined ? ((keyword ?? word) as string) : this.#unquote(all);
  }

  #unquote(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch (cause) {
      throw malformed(this.#line, `${quoted} is no string: ${String(cause)}`);
    }
  }

  #takes(bracket: string): boolean {
    this.#skipBlanks();
    const isThere = this.#text[this.#at] === bracket;
    this.#at += Number(isThere);
    return isThere;
  }

  #skipBlanks(): void {
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #wrong(): Error {
    return malformed(this.#line, `no map of EDN: '${this.#text.slice(this.#at, this.#at + 40)}'`);
  }
}
