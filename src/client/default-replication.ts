/** @module How many copies a new file gets when nobody says: asked of the directory it will be in. */
import { isHoldfastError } from '../common/errors.ts';
import { activeLevel } from '../namespace/feature-level.ts';
import { joinPath, splitPath } from '../namespace/path.ts';
import { STAT } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';

/**
 * What the nearest existing directory above `path` says. Placement needs it before the file exists; the namespace decides
 * anew when it is made, so an answer that is a little old does no harm: a difference is told, and made up, like any missing
 * copy. A read that waits for what was committed last would cost more than all the rest of a small put.
 */
export async function defaultReplication(
  context: ClientContext,
  path: string,
  { signal }: OperationOptions,
): Promise<number> {
  const cluster = await context.cluster();
  // Below this level directories say nothing.
  if (activeLevel(cluster) < 2) return cluster.defaultReplication;
  for (let above = splitPath(path).slice(0, -1); ; above = above.slice(0, -1)) {
    try {
      const { stat } = await context.metadata.ask(STAT, { path: joinPath(above), stale: true }, { signal });
      return stat?.inheritedReplication || cluster.defaultReplication;
    } catch (error) {
      if (above.length === 0 || !isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_A_DIRECTORY'))
        throw error;
    }
  }
}
