/** @module What a member may be, and a token may let in. */
import { invalidArgument } from '../errors.ts';

const ROLES: readonly string[] = ['meta', 'data', 'client'];

/** Refuses an empty list and roles there are not. */
export function checkRoles(roles: readonly string[]): void {
  if (roles.length > 0 && roles.every((role) => ROLES.includes(role))) return;
  throw invalidArgument(`Roles are one or more of ${ROLES.join(', ')}.`, { got: [...roles] });
}
