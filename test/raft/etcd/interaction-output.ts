/** @module What an interaction transcript prints: nested by indentation, silent at log level `none`. */

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'];
const INDENT = '  ';

export class InteractionOutput {
  #text = '';
  #level = 0;

  /** Nothing is printed, except errors. */
  get isQuiet(): boolean {
    return this.#level === LEVELS.length - 1;
  }

  setLevel(name: string): void {
    const level = LEVELS.indexOf(name.toUpperCase());
    if (level === -1) throw new Error(`log levels must be either of [${LEVELS.join(' ')}]`);
    this.#level = level;
  }

  /** Runs `work` at another level. */
  atLevel(name: string | undefined, work: () => void): void {
    const before = this.#level;
    if (name !== undefined) this.setLevel(name);
    try {
      work();
    } finally {
      this.#level = before;
    }
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  writeLine(text: string): void {
    this.write(`${text}\n`);
  }

  /** Under a heading, what `work` prints, indented. */
  section(heading: string, work: () => void): void {
    this.writeLine(heading);
    const before = this.#text;
    this.#text = '';
    work();
    const lines = this.#text === '' ? [] : this.#text.replace(/\n$/, '').split('\n');
    this.#text = before + lines.map((line) => `${INDENT}${line}\n`).join('');
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}
