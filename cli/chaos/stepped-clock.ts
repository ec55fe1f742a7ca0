/**
 * @module Wall clocks that jump, each in a process of its own: setting the machine's would change it for everybody, and time
 * namespaces (Linux) leave the wall clock alone. A few lines are loaded before the command, and move what Date tells.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surroundings } from '../demo/node-process.ts';

const VARIABLE = 'HOLDFAST_CHAOS_CLOCK';
/** Reads the offset at the start and at each SIGUSR2. Monotonic time is left alone, as a step of a real clock leaves it. */
const PRELOAD = `
import { readFileSync } from 'node:fs';
const now = Date.now.bind(Date);
let offset = 0;
const read = () => { try { offset = Number(readFileSync(process.env.${VARIABLE}, 'utf8')); } catch { offset = 0; } };
read();
Date.now = () => now() + offset;
process.on('SIGUSR2', read);
`;

/** Environment of a process whose clock follows `file`. */
export function clockSurroundings(file: string): Surroundings {
  const preload = `data:text/javascript,${encodeURIComponent(PRELOAD)}`;
  return { env: { [VARIABLE]: file, NODE_OPTIONS: `--import "${preload}"` } };
}

/** Never half written: its reader may look at any moment. */
export async function setClock(file: string, offsetMs: number): Promise<void> {
  await writeFile(`${file}.new`, String(offsetMs));
  await rename(`${file}.new`, file);
}

export function clockFile(directory: string, name: string): string {
  return join(directory, `clock-${name}`);
}
