/** @module What processes cost, by the kernel's own accounting (Linux /proc): CPU seconds and peak memory. */
import { readFileSync } from 'node:fs';

/** Kernel clock ticks per second; 100 on every Linux this runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly peakRssMib: number;
}

/** Usage of one living process; undefined when it is gone. */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return { cpuSeconds, peakRssMib: Number(peak?.[1] ?? 0) / 1024 };
  } catch {
    return undefined;
  }
}

export interface ProcessMemory {
  readonly residentMib: number;
  /** What several processes have in common counts for each of them by its share. */
  readonly proportionalMib: number;
}

/** Memory of one living process now. */
export function memoryOf(pid: number): ProcessMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
  return { residentMib: mib('Rss'), proportionalMib: mib('Pss') };
}

/** CPU seconds that `pids` used while `work` ran, and their peak memory since they started. */
export async function measured<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ result: T; seconds: number; cpuSeconds: number; peakRssMib: number }> {
  const before = pids.map((pid) => usageOf(pid)?.cpuSeconds ?? 0);
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const after = pids.map((pid) => usageOf(pid));
  return {
    result,
    seconds,
    cpuSeconds: after.reduce(
      (sum, usage, i) => sum + (usage === undefined ? 0 : usage.cpuSeconds - (before[i] ?? 0)),
      0,
    ),
    peakRssMib: Math.max(0, ...after.map((usage) => usage?.peakRssMib ?? 0)),
  };
}
