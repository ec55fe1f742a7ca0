/** @module The files of a healing benchmark: told apart by their number, and cheap to make. */
import { MIB } from '../../../src/common/bytes.ts';
import type { Client } from '../../../src/index.ts';

export const FILE_BYTES: number = 32 * MIB;

export function pathOf(number: number): string {
  return `/heal-${number}`;
}

/** Repeated random-looking words. */
export function content(number: number): Uint8Array {
  const words = new Uint32Array(FILE_BYTES / 4);
  let state = number + 1;
  for (let at = 0; at < words.length; at += 1)
    words[at] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer);
}

export async function isIntact(client: Client, number: number): Promise<boolean> {
  const wanted = Buffer.from(content(number));
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await client.get(pathOf(number))).bytes) chunks.push(chunk);
  return wanted.equals(Buffer.concat(chunks));
}

export async function countWrong(client: Client, files: number): Promise<number> {
  let wrong = 0;
  for (let number = 0; number < files; number += 1) if (!(await isIntact(client, number))) wrong += 1;
  return wrong;
}
