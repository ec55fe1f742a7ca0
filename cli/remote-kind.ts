/** @module What, if anything, is at a path of the cluster. */
import { isHoldfastError } from '../src/common/errors.ts';
import type { Client } from '../src/client/client.ts';

/** 'file', 'directory' …, or undefined where there is nothing. */
export async function kindAt(client: Client, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await client.stat(path, { signal })).kind;
  } catch (error) {
    if (isHoldfastError(error, 'NAMESPACE_NOT_FOUND')) return undefined;
    throw error;
  }
}
