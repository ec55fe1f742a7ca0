/** @module The hand behind the faults: draws them from a seed, a few at a time, writes down each, and puts all right at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '../../src/common/errors.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import { type FaultContext, type FaultKind, type Injected, NODE_FAULTS, start } from './faults.ts';
import { MEMBER_FAULTS } from './member-faults.ts';

export interface RecordedFault {
  readonly kind: string;
  readonly what: string;
  readonly names: readonly string[];
  /** On the clock of the run. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FaultInjectorOptions {
  /** Milliseconds since the run began. */
  readonly now: () => number;
  /** Drawn from these; from all that there are when absent. */
  readonly kinds?: readonly FaultKind[];
}

const FAULT_KINDS: readonly FaultKind[] = [...NODE_FAULTS, ...DISK_FAULTS, ...MEMBER_FAULTS];
/** Faults at a time: more than the cluster is built for, so that it must also know when to refuse. */
const MOST_AT_ONCE = 3;
const PAUSE_MS = [500, 6_000] as const;
const LAST_MS = [1_000, 9_000] as const;

interface Lasting {
  readonly injected: Injected;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class FaultInjector {
  readonly faults: RecordedFault[] = [];
  /** What a node did that no fault explains. */
  readonly surprises: string[] = [];
  readonly #context: FaultContext;
  readonly #now: () => number;
  readonly #kinds: readonly FaultKind[];
  #lasting: Lasting[] = [];
  readonly #healing = new Map<Lasting, Promise<void>>();
  /** By node: until when it may end by itself. */
  readonly #excused = new Map<string, number>();

  constructor(context: FaultContext, { now, kinds = FAULT_KINDS }: FaultInjectorOptions) {
    this.#context = context;
    this.#now = now;
    this.#kinds = kinds
      .filter(({ needs }) => needs === undefined || context.machines.can(needs))
      .flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  }

  get lasting(): readonly string[] {
    return [...this.#lasting, ...this.#healing.keys()].map(({ injected }) => injected.what);
  }

  /** Until `signal`; then everything is as it should be again. */
  async run(signal: AbortSignal): Promise<void> {
    const { choice } = this.#context;
    let nextMs = this.#now();
    while (!signal.aborted) {
      this.#healDue(this.#now());
      await this.#restartStopped();
      if (this.#now() >= nextMs && this.#lasting.length + this.#healing.size < MOST_AT_ONCE) {
        await this.#injectOne();
        nextMs = this.#now() + choice.between(...PAUSE_MS);
      }
      // It only looks again; nothing depends on how long that takes.
      await pause(100, undefined, { signal }).catch(() => {});
    }
  }

  /** All faults end. Call it when run() has returned. */
  async heal(): Promise<void> {
    this.#healDue(Infinity);
    await Promise.all(this.#healing.values());
    await this.#restartStopped();
  }

  async #injectOne(): Promise<void> {
    const { choice, names, cluster } = this.#context;
    const afflicted = this.#afflicted();
    const free = names.filter((name) => !afflicted.has(name) && cluster.node(name).isRunning);
    if (free.length === 0) return;
    const kind = choice.pick(this.#kinds);
    const fromMs = this.#now();
    const untilMs = fromMs + choice.between(...LAST_MS);
    const injected = await kind.inject(this.#context, choice.pick(free), free);
    if (injected !== undefined) this.#lasting.push({ injected, kind, fromMs, untilMs });
  }

  /** One that takes long to be put right holds up none of the others. */
  #healDue(nowMs: number): void {
    const due = this.#lasting.filter(({ untilMs }) => untilMs <= nowMs);
    this.#lasting = this.#lasting.filter((fault) => !due.includes(fault));
    for (const fault of due)
      this.#healing.set(
        fault,
        this.#healOne(fault).finally(() => this.#healing.delete(fault)),
      );
  }

  /** Never rejects. */
  async #healOne({ injected, kind, fromMs }: Lasting): Promise<void> {
    let { what } = injected;
    try {
      what = (await injected.heal()) ?? what;
    } catch (error) {
      this.surprises.push(`${what}: could not be put right: ${describeError(error)}`);
    }
    const { names, aftermathMs = 0 } = injected;
    const untilMs = this.#now() + aftermathMs;
    for (const name of names) this.#excused.set(name, Math.max(untilMs, this.#excused.get(name) ?? 0));
    this.faults.push({ kind: kind.name, what, names, fromMs, toMs: this.#now() });
  }

  /** Nodes that bear a fault, or are just being put right. */
  #afflicted(): ReadonlySet<string> {
    return new Set([...this.#lasting, ...this.#healing.keys()].flatMap(({ injected }) => injected.names));
  }

  /** A node that is down although nobody took it down: an administrator starts it again, and wants to know why. */
  async #restartStopped(): Promise<void> {
    const { cluster, names } = this.#context;
    const afflicted = this.#afflicted();
    for (const name of names) {
      const node = cluster.node(name);
      if (node.isRunning || afflicted.has(name)) continue;
      if ((this.#excused.get(name) ?? 0) < this.#now())
        this.surprises.push(`${name} ended by itself; its last words: ${node.logTail.slice(-600)}`);
      await start(cluster, name);
    }
  }
}
