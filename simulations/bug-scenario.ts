/** @module What a scenario of simulations/scenarios is: one shipped bug as a short, deterministic course of events. */

/** Each file of simulations/scenarios exports one as `scenario`, and its name is the file's. */
export interface BugScenario {
  /** What holds where the bug is not. */
  readonly claim: string;
  /** Throws, or rejects, where it is. Has no side effects but in a temporary directory that it removes. */
  readonly run: () => void | Promise<void>;
}
