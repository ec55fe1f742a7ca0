/** @module What this process and all it started cost together, also those that have ended meanwhile (Linux /proc). */
import { readdirSync, readFileSync } from 'node:fs';
import { usageOf } from './process-usage.ts';

/** Kernel clock ticks per second (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** Peaks are looked up so often, in milliseconds: what a process reached since, it takes with it when it ends. */
const SAMPLE_MS = 500;

export interface FamilyUsage<T> {
  readonly result: T;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the largest process besides this one, in MiB. */
  readonly peakRssMib: number;
}

export async function measureFamily<T>(work: () => Promise<T>): Promise<FamilyUsage<T>> {
  let peakRssMib = 0;
  const sample = (): void => {
    for (const pid of descendants()) peakRssMib = Math.max(peakRssMib, usageOf(pid)?.peakRssMib ?? 0);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const [before, startMs] = [familyCpuSeconds(), performance.now()];
  try {
    const result = await work();
    sample();
    const seconds = (performance.now() - startMs) / 1000;
    return { result, seconds, cpuSeconds: familyCpuSeconds() - before, peakRssMib };
  } finally {
    clearInterval(timer);
  }
}

/** The kernel adds what a child took, and its children before it, to its parent's account when it ends. */
function familyCpuSeconds(): number {
  return [process.pid, ...descendants()].reduce((sum, pid) => {
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fieldsOf(pid).slice(11, 15).map(Number);
    return sum + (user + system + endedUser + endedSystem) / TICKS_PER_SECOND;
  }, 0);
}

function descendants(): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(fieldsOf(pid)[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (let open = [process.pid]; open.length > 0; ) {
    open = open.flatMap((pid) => childrenOf.get(pid) ?? []);
    found.push(...open);
  }
  return found;
}

/** Of /proc/PID/stat, from the state on; empty when the process is gone. */
function fieldsOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
