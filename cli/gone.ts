/** @module What others remove or replace while a command goes through a tree: that is no failure of the command. */
import { isHoldfastError } from '../src/common/errors.ts';

const GONE = ['NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_A_DIRECTORY', 'NAMESPACE_IS_A_DIRECTORY'] as const;

/** For entries that a listing told of: undefined where by now there is nothing, or something of another kind. */
export async function orGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isHoldfastError(error, ...GONE)) return undefined;
    throw error;
  }
}
