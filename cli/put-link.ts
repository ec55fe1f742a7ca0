/** @module Puts a symbolic link into the cluster as `put -r` finds it. */
import { randomUUID } from 'node:crypto';
import type { Client } from '../src/client/client.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { joinPath } from './remote-path.ts';

export interface PutLinkOptions {
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal;
}

/** What was there is replaced in one step, like a file. Errors: NAMESPACE_EXISTS with `ifAbsent`, NAMESPACE_IS_A_DIRECTORY. */
export async function putLink(
  client: Client,
  target: string,
  path: string,
  { ifAbsent, signal }: PutLinkOptions,
): Promise<void> {
  try {
    return await client.symlink(target, path, { signal });
  } catch (error) {
    if (ifAbsent || !isHoldfastError(error, 'NAMESPACE_EXISTS')) throw error;
  }
  const directory = path.slice(0, path.lastIndexOf('/')) || '/';
  const temporary = joinPath(directory, `.holdfast-${randomUUID()}.part`);
  await client.symlink(target, temporary, { signal });
  try {
    await client.rename(temporary, path, { signal });
  } catch (error) {
    await client.unlink(temporary);
    throw error;
  }
}
