import { describe, expect, it } from 'vitest';
import { MAX_QUEUED_COMMANDS, ProposalQueue, prepareCommand } from '../../src/metadata/proposal-queue.ts';
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

  it('is not answered with what another leader wrote in its place in the log', async () => {
    const queue = new ProposalQueue();
    const answers = [queue.add(prepareCommand(touch('/a', 1))), queue.add(prepareCommand(touch('/b', 2)))];
    const batch = queue.takeBatch(1);
    if (batch === undefined) throw new Error('two commands are queued');
    queue.proposed(batch);
    queue.bind([{ term: 2, index: 5, type: 'EntryNormal', data: batch.data }]);
    const others = [{ kind: undefined }, { kind: undefined }];
    queue.applied(4, 2, others);
    queue.applied(5, 3, others);
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({ code: 'METADATA_OUTCOME_UNKNOWN' });
  });

  it('has no more commands, and no more bytes, than one entry may have', () => {
    const queue = new ProposalQueue();
    const add = (path: string): void => void queue.add(prepareCommand(touch(path, 1)));
    for (let count = 0; count < 600; count += 1) add('/small');
    for (let count = 0; count < 3; count += 1) add(`/${'x'.repeat(600_000)}`);
    const sizes: number[] = [];
    for (let batch = queue.takeBatch(0); batch !== undefined; batch = queue.takeBatch(0))
      sizes.push(batch.waiting.length);
    expect(sizes).toEqual([512, 89, 1, 1]);
  });
});

describe('a queue of commands', () => {
  it('refuses at once what it has no room for, and takes more when a batch has left', async () => {
    const queue = new ProposalQueue();
    const command = prepareCommand(touch('/a', 1));
    const taken = Array.from({ length: MAX_QUEUED_COMMANDS }, () => queue.add(command));
    const refused = { code: 'METADATA_OVERLOADED', kind: 'unavailable' };
    await expect(queue.add(command)).rejects.toMatchObject(refused);
    const batch = queue.takeBatch(0);
    taken.push(queue.add(command));
    if (batch !== undefined) queue.refused(batch, new Error('the end'));
    queue.close(new Error('the end'));
    const outcomes = await Promise.allSettled(taken);
    expect(new Set(outcomes.map((outcome) => 'reason' in outcome && String(outcome.reason)))).toEqual(
      new Set(['Error: the end']),
    );
  });
});
