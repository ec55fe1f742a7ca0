/** @module The shape of what the doctor finds: as in the cluster's status, so that both read alike. */
import type { Health, HealthCheck } from '../health-check.ts';

export function check(name: string, health: Health, finding: string, advice = ''): HealthCheck {
  return { name, health, finding, advice };
}
