/** @module What one health check says. */

export type Health = 'ok' | 'warn' | 'fail';

export interface HealthCheck {
  /** Stable: quorum, leader, datanodes, capacity, under-replicated, missing, scrub, relays. */
  readonly name: string;
  readonly health: Health;
  readonly finding: string;
  /** What to do; empty when nothing. */
  readonly advice: string;
}
