import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFile } from '../../../cli/chaos/history-file.ts';
import { judgeHistory } from '../../../cli/chaos/history-verdict.ts';

describe('the verdict on a history that clients wrote', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chaos-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function judge(model: 'register' | 'namespace', ...calls: readonly object[]): Promise<unknown> {
    const history = new HistoryFile(join(directory, 'history.jsonl'), model);
    for (const [at, call] of calls.entries())
      history.add({ client: 1, call, start: 2 * at, end: 2 * at + 1 });
    await history.close();
    return judgeHistory(history.path, new AbortController().signal);
  }
  const write = { kind: 'write', key: 'r1', value: 1 };
  const read = (value: number | null): object => ({ kind: 'read', key: 'r1', value });

  it('is good when each saw what was there', async () => {
    expect(await judge('register', read(0), write, read(1))).toEqual({
      verdict: 'linearizable',
      operations: 3,
    });
  });

  it('is bad, with a picture of why, when a file that was written is not found, or is as before', async () => {
    for (const value of [null, 0])
      expect(await judge('register', write, read(value))).toMatchObject({
        verdict: 'not-linearizable',
        part: 'r1',
        picture: expect.stringContaining('<svg'),
      });
  });

  it('is bad when a name is where it was moved away from', async () => {
    const done = { isDone: true };
    const found = { isDone: true, found: 'directory' };
    const make = { kind: 'mkdir', tree: 't1', path: 'a', answer: done };
    const move = { kind: 'rename', tree: 't1', path: 'a', to: 'b', answer: done };
    expect(
      await judge('namespace', make, move, { kind: 'stat', tree: 't1', path: 'b', answer: found }),
    ).toMatchObject({
      verdict: 'linearizable',
    });
    expect(
      await judge('namespace', make, move, { kind: 'stat', tree: 't1', path: 'a', answer: found }),
    ).toMatchObject({
      verdict: 'not-linearizable',
      part: 't1',
    });
  });

  it('is none at all on what is no history', async () => {
    await expect(judge('register', { kind: 'dance' })).rejects.toMatchObject({ code: 'CLI_CHECK_FAILED' });
  });
});
