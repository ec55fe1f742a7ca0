/** @module What one health check says: of the cluster in its status, of this machine and its nodes to the doctor. */

export type Health = 'ok' | 'warn' | 'fail';

export interface HealthCheck {
  /** Stable. */
  readonly name: string;
  readonly health: Health;
  readonly finding: string;
  /** What to do; empty when nothing. */
  readonly advice: string;
}

/** Share of free bytes below which space is getting short, and below which writes are about to fail. */
export const LOW_SPACE = 0.15;
export const NO_SPACE = 0.03;

export function check(name: string, health: Health, finding: string, advice = ''): HealthCheck {
  return { name, health, finding, advice };
}
