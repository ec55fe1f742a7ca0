/** @module What this metadata node itself has heard of the datanodes. Soft: rebuilt from registrations after a restart. */
import type { Clock } from '../common/clock.ts';
import type { NodeLoad } from '../protocol/messages.ts';
import { bySilence, type Liveness, type LivenessSettings } from './liveness-judge.ts';
import type { PlacementCandidate } from './placement.ts';

/** A datanode that runs is heard of within this time after the start of a metadata node: two heartbeats and a little. */
const SURVEY_MS = 7_000;
/** One that has registered knows within this time how it is reached: it has asked a metadata node, and has its place on a relay. */
const SETTLING_MS = 10_000;

export interface Registration {
  readonly node: number;
  /** Start counter of the datanode's process. */
  readonly generation: number;
  readonly addresses: readonly string[];
  readonly host: string;
  readonly zone?: string | undefined;
  readonly hostGroup?: string | undefined;
  readonly load: NodeLoad;
}

interface Entry extends Registration {
  /** With this generation. */
  readonly firstHeardMs: number;
  readonly heardMs: number;
  readonly expectedBytes: number;
}

export interface DatanodeRegistryComponents {
  readonly clock: Clock;
}

export interface DatanodeRegistryOptions {
  readonly settings: () => LivenessSettings;
}

/** By this node's own monotonic clock and ears alone; what the cluster holds of a datanode: datanode-states.ts. */
export class DatanodeRegistry {
  readonly #clock: Clock;
  readonly #entries = new Map<number, Entry>();
  readonly #startedMs: number;
  readonly #settings: () => LivenessSettings;

  constructor(components: DatanodeRegistryComponents, options: DatanodeRegistryOptions) {
    this.#clock = components.clock;
    this.#settings = options.settings;
    this.#startedMs = this.#clock.monotonicMs();
  }

  register(registration: Registration): void {
    const known = this.#entries.get(registration.node);
    const heardMs = this.#clock.monotonicMs();
    const firstHeardMs = known?.generation === registration.generation ? known.firstHeardMs : heardMs;
    this.#entries.set(registration.node, { ...registration, firstHeardMs, heardMs, expectedBytes: 0 });
  }

  /** False when the node must register (again): never heard of here, in another generation, or silent until it was given up. */
  heartbeat(node: number, generation: number, load: NodeLoad): boolean {
    const entry = this.#entries.get(node);
    if (entry === undefined || entry.generation !== generation) return false;
    if (this.liveness(node) === 'dead') return false;
    // What was placed before this heartbeat is now in its load, or was never written.
    this.#entries.set(node, { ...entry, load, heardMs: this.#clock.monotonicMs(), expectedBytes: 0 });
    return true;
  }

  /** Counts bytes that were just placed on `node`, until its next heartbeat tells the truth. */
  expect(node: number, bytes: number): void {
    const entry = this.#entries.get(node);
    if (entry !== undefined)
      this.#entries.set(node, { ...entry, expectedBytes: entry.expectedBytes + bytes });
  }

  forget(node: number): void {
    this.#entries.delete(node);
  }

  liveness(node: number): Liveness {
    const silentMs = this.silentMs(node);
    return silentMs === undefined ? 'unknown' : bySilence(silentMs, this.#settings());
  }

  /** Milliseconds since this metadata node began to listen. */
  get listeningMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /**
   * Whether `node` may well take blocks in a moment: nothing was heard of it, but this metadata node has only just started, or it
   * has, and does not know yet how others reach it.
   */
  isAwaited(node: number): boolean {
    const entry = this.#entries.get(node);
    if (entry === undefined) return this.listeningMs < SURVEY_MS;
    return entry.load.reachable === false && this.#clock.monotonicMs() - entry.firstHeardMs < SETTLING_MS;
  }

  /** Milliseconds since it was last heard of. */
  silentMs(node: number): number | undefined {
    const entry = this.#entries.get(node);
    return entry === undefined ? undefined : this.#clock.monotonicMs() - entry.heardMs;
  }

  get(node: number): Registration | undefined {
    return this.#entries.get(node);
  }

  registrations(): readonly Registration[] {
    return [...this.#entries.values()];
  }

  /** The datanodes new blocks may go to now. One that nobody finds a way to would only refuse them. */
  candidates(): PlacementCandidate[] {
    return [...this.#entries.values()]
      .filter(({ node }) => this.liveness(node) === 'alive')
      .filter(({ load }) => !load.readOnly && load.freeBytes > 0 && load.reachable !== false)
      .map(({ node, host, zone = '', hostGroup = '', load, expectedBytes }) => ({
        node,
        host,
        zone,
        hostGroup,
        freeBytes: load.freeBytes,
        expectedBytes,
        inFlight: load.writesInFlight + load.readsInFlight,
      }));
  }
}
