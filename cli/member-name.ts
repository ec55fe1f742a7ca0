/** @module Which member somebody means by a number or a name. */
import type { Client } from '../src/client/client.ts';
import { usage } from './errors.ts';

/** Numbers of members are 32 bits long: nobody has one above. */
const MAX_NUMBER = 0xffff_ffff;

/** The member number. A name counts if exactly one active node has it. Errors: CLI_USAGE. */
export async function memberNumber(client: Client, text: string, signal: AbortSignal): Promise<number> {
  if (/^\d+$/.test(text) && Number(text) <= MAX_NUMBER) return Number(text);
  const { members } = await client.members({ signal });
  const found = members.filter(
    ({ name, state, roles }) =>
      name === text && state === 'active' && roles.some((role) => role !== 'client'),
  );
  const [only] = found;
  if (only === undefined) throw usage(`No node is called "${text}". "holdfast cluster members" lists them.`);
  if (found.length > 1)
    throw usage(
      `Several nodes are called "${text}": ${found.map(({ number }) => number).join(', ')}. Give the number.`,
    );
  return only.number;
}
