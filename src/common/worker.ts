/** @module The one shape of background work: repair, index hand-over, lease expiry … are all such workers. */

/** `busy`: more to do now. `idle`: nothing now, ask again later. `done`: never again. */
export type WorkState = 'busy' | 'idle' | 'done';

export interface BackgroundWorker {
  /** Stable name for the command line and logs, kebab-case. */
  readonly name: string;
  /** How long to wait after `idle`, in milliseconds. */
  readonly idleMs: number;
  /** Does one small unit. A throw is logged and treated as `idle`. Never called twice at once. */
  work(signal: AbortSignal): Promise<WorkState>;
}
