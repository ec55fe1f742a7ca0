/** @module How far a transfer is: a bar with rate and ETA on a terminal, plain lines elsewhere, nothing with --json. */
import cliProgress from 'cli-progress';
import { formatBytes } from './byte-size.ts';
import { formatDuration } from './duration.ts';
import { type Output, printable } from './output.ts';
import type { Terminal } from './terminal.ts';

/** Several transfers seen as one. All sizes in bytes. */
export interface Progress {
  /** A bar is on the terminal: other lines would tear it. */
  readonly isDrawn: boolean;
  /** More is to come than was known. */
  expect(bytes: number): void;
  /** `key` has come this far; bytes never fall. */
  update(key: string, doneBytes: number): void;
  /** Prints lines while a transfer goes on, above the bar where there is one. */
  aside(print: () => void): void;
  /** Ends the drawing; call it before anything else is printed. Later calls do nothing. */
  stop(): void;
}

export interface ProgressOptions {
  /** A verb: "put", "get". */
  readonly label: string;
  /** What stands beside the bar, where it is not about bytes. */
  readonly text?: () => string;
}

/** Without a terminal a line is printed at most this often. */
const LINE_PERIOD_MS = 5_000;
const REDRAWS_PER_SECOND = 5;
/** A shorter rest is over before it is read. */
const LEAST_ETA_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';
/** Where the cursor is now the bar is drawn next, and goes back to at its end: over what was printed since, without this. */
const SAVE_CURSOR = '\u001b7';
/** Span over which the rate is measured: long enough not to jump with every block. */
const RATE_WINDOW_MS = 5_000;

export function createProgress(output: Output, terminal: Terminal, options: ProgressOptions): Progress {
  if (output.json)
    return {
      isDrawn: false,
      expect: () => {},
      update: () => {},
      aside: (print) => print(),
      stop: () => {},
    };
  return new VisibleProgress(terminal, options);
}

class VisibleProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #label: string;
  readonly #text: (() => string) | undefined;
  readonly #done = new Map<string, number>();
  readonly #rate = new RateMeter();
  readonly #bar: cliProgress.SingleBar | undefined;
  #doneBytes = 0;
  #totalBytes = 0;
  #lineMs: number = performance.now();
  #stopped = false;

  constructor(terminal: Terminal, { label, text }: ProgressOptions) {
    this.#terminal = terminal;
    this.#text = text;
    this.#label = printable(label);
    if (!terminal.isInteractive) return;
    this.#bar = new cliProgress.SingleBar({
      format: `${this.#label} [{bar}] {percentage}% | {text}`,
      stream: terminal.stderr as NodeJS.WritableStream,
      fps: REDRAWS_PER_SECOND,
      hideCursor: true,
      barsize: 24,
    });
    this.#bar.start(1, 0, { text: '' });
  }

  get isDrawn(): boolean {
    return this.#bar !== undefined;
  }

  expect(bytes: number): void {
    this.#totalBytes += bytes;
    this.#show();
  }

  update(key: string, doneBytes: number): void {
    const before = this.#done.get(key) ?? 0;
    if (doneBytes <= before) return;
    this.#done.set(key, doneBytes);
    this.#doneBytes += doneBytes - before;
    this.#show();
  }

  aside(print: () => void): void {
    if (this.#bar === undefined || this.#stopped) return print();
    this.#terminal.stderr.write(CLEAR_LINE);
    print();
    this.#terminal.stderr.write(SAVE_CURSOR);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#show();
    this.#stopped = true;
    this.#bar?.stop();
  }

  #show(): void {
    if (this.#stopped) return;
    const nowMs = performance.now();
    const text =
      this.#text?.() ??
      describe(this.#doneBytes, this.#totalBytes, this.#rate.measure(nowMs, this.#doneBytes));
    if (this.#bar !== undefined) {
      this.#bar.setTotal(Math.max(this.#totalBytes, this.#doneBytes, 1));
      this.#bar.update(this.#doneBytes, { text });
    } else if (nowMs - this.#lineMs >= LINE_PERIOD_MS) {
      this.#lineMs = nowMs;
      this.#terminal.stderr.write(`${this.#label}: ${text}\n`);
    }
  }
}

/** "96.0 MiB of 256.0 MiB | 81.2 MiB/s | 2.0 s left"; without a known total only what is known. */
export function describe(doneBytes: number, totalBytes: number, bytesPerSecond: number): string {
  const rate = `${formatBytes(Math.round(bytesPerSecond))}/s`;
  if (totalBytes < doneBytes || totalBytes === 0) return `${formatBytes(doneBytes)} | ${rate}`;
  const leftMs = ((totalBytes - doneBytes) / bytesPerSecond) * 1000;
  if (leftMs === 0) return `${formatBytes(doneBytes)} | ${rate}`;
  const eta = Number.isFinite(leftMs) ? formatDuration(Math.max(LEAST_ETA_MS, leftMs)) : '?';
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} | ${rate} | ${eta} left`;
}

/** Bytes per second over the last RATE_WINDOW_MS, or since the update before that when updates are rarer. */
export class RateMeter {
  #samples: { readonly ms: number; readonly bytes: number }[] = [];

  /** Takes a sample and returns the rate; 0 for the first. */
  measure(ms: number, bytes: number): number {
    this.#samples.push({ ms, bytes });
    const from = this.#samples.findIndex((sample) => ms - sample.ms <= RATE_WINDOW_MS);
    if (from > 1) this.#samples = this.#samples.slice(from - 1);
    const oldest = this.#samples[0];
    if (oldest === undefined || ms <= oldest.ms) return 0;
    return ((bytes - oldest.bytes) / (ms - oldest.ms)) * 1000;
  }
}
