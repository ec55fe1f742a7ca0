/** @module What a cluster at rest, and a process that has stopped, may not have left: leases, temporary files, room, timers, connections. */
import { SafetyViolation } from '../raft-oracle.ts';
import type { DataProcess } from './data-process.ts';
import type { MetadataProcess } from './metadata-process.ts';

/** Whether every lease is over, and all that was detached from the tree is freed. */
export function isTidy(members: readonly MetadataProcess[]): boolean {
  return members.every(({ state }) => {
    const { leases, orphans } = state?.counters() ?? { leases: 0, orphans: 0 };
    return leases === 0 && orphans === 0;
  });
}

/** What a client that vanished was writing is given up when its connection is, and that shows late: nothing comes any more. */
export const LONGEST_SILENCE_MS = 60_000;

export function isIncoming(datanodes: readonly DataProcess[]): boolean {
  return datanodes.some(({ machine }) => machine.platter.incomingCount > 0);
}

/** On a cluster whose clients have stopped for LONGEST_SILENCE_MS, or that has nothing incoming. Throws SafetyViolation. */
export async function checkStores(datanodes: readonly DataProcess[]): Promise<void> {
  for (const { number, blocks, machine } of datanodes) {
    const { incomingCount } = machine.platter;
    if (incomingCount > 0)
      throw new SafetyViolation(`Datanode ${number} has left ${incomingCount} temporary files`);
    const usage = await blocks?.usage();
    const promisedBytes = usage === undefined ? 0 : usage.capacityBytes - usage.usedBytes - usage.freeBytes;
    if (promisedBytes !== 0)
      throw new SafetyViolation(
        `Datanode ${number} keeps ${promisedBytes} bytes for blocks that nobody writes`,
      );
  }
}

/** Stops a process and looks at what it leaves. Throws SafetyViolation. */
export async function stopAndCheck(process: MetadataProcess | DataProcess): Promise<void> {
  const pending = await process.stop();
  if (pending > 0)
    throw new SafetyViolation(`Node ${process.number} has stopped, and left ${pending} timers behind`);
}
