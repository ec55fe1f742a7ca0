/** @module The one shape of background work: repair, index hand-over, lease expiry … are all such workers. */

/** `busy`: more to do now. `idle`: nothing now, ask again later. `done`: never again. */
export type WorkState = 'busy' | 'idle' | 'done';

export interface BackgroundWorker {
  /** Stable name for the command line and logs, kebab-case. */
  readonly name: string;
  /** How long to wait after `idle`, in milliseconds. */
  readonly idleMs: number;
  /** How long to wait after `busy`, in milliseconds, for work that spares the disk; 0 when absent. */
  readonly pauseMs?: number;
  /** Whether people may pause it: data stays safe without it, for a while. */
  readonly isPausable?: boolean;
  /** Does one small unit. A throw is logged and treated as `idle`. Never called twice at once. */
  work(signal: AbortSignal): Promise<WorkState>;
  /** Somebody wants it done now: called before the step that this brings about. */
  hurry?(): void;
  /** Where it stands, in one line for people. */
  progress?(): string;
}

/** `waiting`: before its first step. `stuck`: the last step failed, and it tries again. */
export type WorkerState = WorkState | 'waiting' | 'stuck' | 'paused';

/** A worker as people see it. */
export interface WorkerStanding {
  readonly name: string;
  readonly state: WorkerState;
  readonly isPausable: boolean;
  /** Steps since the start of the process, and how many of them failed. */
  readonly steps: number;
  readonly failures: number;
  /** Why the last step failed: an error's code and message; empty unless `stuck`. */
  readonly stuck: { readonly code: string; readonly message: string };
  readonly progress: string;
}
