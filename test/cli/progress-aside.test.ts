/** @module What is printed while a bar is drawn, as a screen shows it. */
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { Output } from '../../cli/output.ts';
import { createProgress } from '../../cli/progress-bar.ts';
import { processTerminal } from '../../cli/terminal.ts';

/** A screen as far as bars need one: rows, a cursor, and the place of it that is kept. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows: string[] = [''];
  #row = 0;
  #column = 0;
  #kept: readonly [row: number, column: number] = [0, 0];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // oxlint-disable-next-line no-control-regex
    for (const [part] of chunk.toString().matchAll(/\u001b\[\??\d*[a-zA-Z]|\u001b[78]|[^]/g))
      this.#take(part);
    done();
  }

  #take(part: string): void {
    const row = this.rows[this.#row] ?? '';
    if (part === '\r' || part === '\u001b[1G') this.#column = 0;
    else if (part === '\n') [this.#row, this.#column] = [this.#row + 1, 0];
    else if (part === '\u001b7') this.#kept = [this.#row, this.#column];
    else if (part === '\u001b8') [this.#row, this.#column] = this.#kept;
    else if (part === '\u001b[K' || part === '\u001b[0K') this.rows[this.#row] = row.slice(0, this.#column);
    else if (!part.startsWith('\u001b')) {
      this.rows[this.#row] =
        row.slice(0, this.#column).padEnd(this.#column) + part + row.slice(this.#column + 1);
      this.#column += 1;
    }
  }
}

it('is left whole by the bar, during and after it', () => {
  const screen = new Screen();
  const terminal = { ...processTerminal(), stderr: screen, isInteractive: true };
  const output = new Output(terminal, { json: false });
  const progress = createProgress(output, terminal, { label: 'put' });
  progress.expect(100);
  for (const name of ['one', 'two']) {
    progress.update(name, 10);
    progress.aside(() => output.warn(`skipped ${name}`));
  }
  progress.update('three', 80);
  progress.stop();
  progress.aside(() => output.warn('after it'));
  const [first, second, bar, after, ...rest] = screen.rows;
  expect([first, second, after]).toEqual([
    'holdfast: skipped one',
    'holdfast: skipped two',
    'holdfast: after it',
  ]);
  expect(bar).toMatch(/^put \[=+\] 100% \| 100 B/);
  expect(rest.join('')).toBe('');
});
