/** @module What datanodes say of each other: that a neighbour on their ring is silent. One voice alone counts for nothing. */
import type { Clock } from '../common/clock.ts';
import type { MemberDirectory } from './member-directory.ts';

export interface SilenceReportsComponents {
  readonly members: MemberDirectory;
  readonly clock: Clock;
}

/** A report that is not repeated is forgotten after this, in milliseconds: a few heartbeats. */
const REPORT_MS = 10_000;
/** Voices that count together; on different machines, as one cut cable silences a whole machine to its own nodes. */
const VOICES = 2;

export class SilenceReports {
  readonly #components: SilenceReportsComponents;
  /** Reporter -> whom it does not hear, until when. Bounded by the number of datanodes and four neighbours each. */
  readonly #byReporter = new Map<
    number,
    { readonly silent: ReadonlySet<number>; readonly untilMs: number }
  >();

  constructor(components: SilenceReportsComponents) {
    this.#components = components;
  }

  /** All that `reporter` does not hear now; replaces what it said before. */
  note(reporter: number, silent: readonly number[]): void {
    if (silent.length === 0) this.#byReporter.delete(reporter);
    else {
      const untilMs = this.#components.clock.monotonicMs() + REPORT_MS;
      this.#byReporter.set(reporter, { silent: new Set(silent), untilMs });
    }
  }

  /** Whether neighbours on at least two machines, none of them its own, do not hear `node`. */
  isReportedSilent(node: number): boolean {
    const { members, clock } = this.#components;
    const hosts = new Set<string>();
    for (const [reporter, { silent, untilMs }] of this.#byReporter) {
      if (untilMs <= clock.monotonicMs()) this.#byReporter.delete(reporter);
      else if (silent.has(node) && reporter !== node) hosts.add(hostOf(reporter, members));
    }
    return hosts.size >= VOICES;
  }
}

function hostOf(node: number, members: MemberDirectory): string {
  return members.byNumber(node)?.host || `node ${node}`;
}
