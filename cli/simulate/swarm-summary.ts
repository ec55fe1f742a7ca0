/** @module What many seeds came to together: in how many each thing was seen, and which failed. */
import { formatDuration } from '../duration.ts';
import type { SeedReport } from './seed-report.ts';

/** For --json, on the last line. */
export interface SwarmFacts {
  readonly ok: boolean;
  readonly seeds: number;
  readonly failed: readonly { readonly seed: number; readonly replay: string; readonly failure: string }[];
  readonly seconds: number;
  readonly simulatedSeconds: number;
  /** Simulated against real time, all jobs together. */
  readonly speed: number;
  readonly events: number;
  readonly operations: Readonly<Record<string, number>>;
  /** By name: how often in all, and in how many seeds in per cent. */
  readonly exercised: Readonly<Record<string, { readonly times: number; readonly percentOfSeeds: number }>>;
}

interface Seen {
  times: number;
  seeds: number;
}

const BAR_WIDTH = 20;

export class SwarmSummary {
  readonly #seen = new Map<string, Seen>();
  readonly #operations = new Map<string, number>();
  readonly #failed: SeedReport[] = [];
  #seeds = 0;
  #simulatedMs = 0;
  #events = 0;

  get seeds(): number {
    return this.#seeds;
  }

  get failed(): readonly SeedReport[] {
    return this.#failed;
  }

  add(report: SeedReport): void {
    this.#seeds += 1;
    this.#simulatedMs += report.simulatedMs;
    this.#events += report.events;
    if (report.failure !== undefined) this.#failed.push(report);
    for (const [name, times] of Object.entries(report.exercised)) {
      const seen = this.#seen.get(name) ?? { times: 0, seeds: 0 };
      this.#seen.set(name, { times: seen.times + times, seeds: seen.seeds + Math.min(1, times) });
    }
    for (const [outcome, count] of Object.entries(report.operations))
      this.#operations.set(outcome, (this.#operations.get(outcome) ?? 0) + count);
  }

  facts(tookMs: number): SwarmFacts {
    return {
      ok: this.#failed.length === 0,
      seeds: this.#seeds,
      failed: this.#failed.map(({ seed, replay = '', failure = '' }) => ({ seed, replay, failure })),
      seconds: Math.round(tookMs / 1000),
      simulatedSeconds: Math.round(this.#simulatedMs / 1000),
      speed: Math.round((this.#simulatedMs / Math.max(1, tookMs)) * 10) / 10,
      events: this.#events,
      operations: Object.fromEntries(this.#operations),
      exercised: Object.fromEntries(
        [...this.#seen].map(([name, { times, seeds }]) => [
          name,
          { times, percentOfSeeds: Math.round((seeds / this.#seeds) * 1000) / 10 },
        ]),
      ),
    };
  }

  /** For people. */
  lines(tookMs: number): readonly string[] {
    const { simulatedSeconds, speed, operations, exercised } = this.facts(tookMs);
    const width = Math.max(0, ...[...this.#seen.keys()].map(({ length }) => length));
    const bars = Object.entries(exercised).map(([name, { times, percentOfSeeds }]) => {
      const filled = Math.ceil((percentOfSeeds / 100) * BAR_WIDTH);
      const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '·');
      return `  ${name.padEnd(width)}  ${bar} ${percentOfSeeds.toFixed(1).padStart(5)} %  ${times}`;
    });
    const told = Object.entries(operations).map(([outcome, count]) => `${count} ${outcome}`);
    return [
      `${this.#seeds} seeds in ${formatDuration(tookMs)}: ${formatDuration(simulatedSeconds * 1000)} of cluster time, ${speed} times as fast as real time; client operations: ${told.join(', ')}.`,
      'What was exercised: in how many of the seeds, and how often in all',
      ...bars,
      ...this.#verdict(),
    ];
  }

  #verdict(): readonly string[] {
    if (this.#seeds === 0) return ['No seed has come to its end.'];
    if (this.#failed.length === 0) return [`All ${this.#seeds} seeds held.`];
    const commands = this.#failed.map(({ replay }) => `  ${replay ?? ''}`);
    return [`${this.#failed.length} of ${this.#seeds} seeds FAILED. To see them again:`, ...commands];
  }
}
