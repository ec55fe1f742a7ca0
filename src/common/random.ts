/** @module Randomness as a collaborator, so that one seed can be one run. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** Uniform integer in [0, bound). `bound` is a positive safe integer below 2^47. */
  int(bound: number): number;
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  int: (bound) => randomInt(bound),
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
