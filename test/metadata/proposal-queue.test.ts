import { describe, expect, it } from 'vitest';
import { ProposalQueue, prepareCommand } from '../../src/metadata/proposal-queue.ts';
import { CommandBatch, type SessionCommand } from '../../src/namespace/schema.ts';

function touch(path: string, sequence: number): SessionCommand {
  const kind = { $case: 'unlink', value: { path } } as const;
  return { session: 'ab', sequence, ackedBelow: 1, command: { kind } };
}

describe('a batch of commands', () => {
  it('reads back as the commands that were queued, in order, with the time', () => {
    const queue = new ProposalQueue();
    const commands = [touch('/a', 1), touch('/ä', 300), touch(`/${'x'.repeat(300)}`, 3)];
    for (const command of commands) void queue.add(prepareCommand(command));
    const batch = CommandBatch.decode(queue.takeBatch(1_700_000_000_000)?.data ?? new Uint8Array());
    expect(batch.timeMs).toBe(1_700_000_000_000);
    expect(batch.commands).toEqual(commands);
    expect(batch).toEqual(CommandBatch.decode(CommandBatch.encode(batch).finish()));
    expect(queue.isEmpty).toBe(true);
  });
});
