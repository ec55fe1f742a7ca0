import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_SESSION_RESULTS, SESSION_IDLE_MS } from '../../src/namespace/limits.ts';
import type { Result } from '../../src/namespace/schema.ts';
import { command, FoundedMachine, outcome } from './founded-machine.ts';

describe('sessions', () => {
  let tree: FoundedMachine;
  beforeEach(async () => {
    tree = await FoundedMachine.create();
    await tree.do('openSession', { id: 's1', owner: 'peer' });
  });
  const mkdir = (path: string, sequence: number, ackedBelow = 0, session = 's1'): Promise<Result> =>
    tree.send({ session, sequence, ackedBelow, command: command('makeDirectory', { path }) });
  const storedRows = async (): Promise<number> => {
    await tree.machine.flush();
    return (await tree.store.scan('result', '', '~', 10_000)).length;
  };

  it('applies a request asked twice once, and answers both alike', async () => {
    const first = await mkdir('/a', 1);
    expect(outcome(first)).toBe('stat');
    await tree.do('removeDirectory', { path: '/a' });
    expect(await mkdir('/a', 1)).toEqual(first);
    expect(await tree.names('/')).toEqual([]);
  });

  it('applies it once also within one entry, after a restart, and when it was refused', async () => {
    const request = {
      session: 's1',
      sequence: 1,
      ackedBelow: 0,
      command: command('makeDirectory', { path: '/a' }),
    };
    const [first, second] = await tree.batch([request, request]);
    expect(second).toEqual(first);
    const refused = await mkdir('/a', 2);
    expect(outcome(refused)).toBe('NAMESPACE_EXISTS');
    await tree.machine.flush();
    await tree.reopen();
    await tree.do('removeDirectory', { path: '/a' });
    expect(await tree.send(request)).toEqual(first);
    expect(await mkdir('/a', 2)).toEqual(refused);
    expect(await tree.names('/')).toEqual([]);
  });

  it('forgets answers once they are acknowledged, and refuses to be asked for them', async () => {
    for (let sequence = 1; sequence <= 5; sequence++) await mkdir(`/${sequence}`, sequence);
    expect(await storedRows()).toBe(5);
    await mkdir('/6', 6, 5);
    expect(await storedRows()).toBe(2);
    expect(outcome(await mkdir('/new', 4))).toBe('NAMESPACE_INVALID_ARGUMENT');
    expect(outcome(await mkdir('/5', 5))).toBe('stat');
    expect(await tree.names('/')).not.toContain('new');
  });

  it('takes sequences in any order above the acknowledged ones', async () => {
    expect(outcome(await mkdir('/b', 9))).toBe('stat');
    expect(outcome(await mkdir('/a', 2))).toBe('stat');
    expect(outcome(await mkdir('/b', 9))).toBe('stat');
    expect(outcome(await mkdir('/c', 0))).toBe('NAMESPACE_INVALID_ARGUMENT');
  });

  it('bounds the answers it keeps', async () => {
    const requests = Array.from({ length: MAX_SESSION_RESULTS + 1 }, (_, position) => ({
      session: 's1',
      sequence: position + 1,
      ackedBelow: 0,
      command: command('touch', { path: '/t' }),
    }));
    expect(outcome((await tree.batch(requests)).at(-1)!)).toBe('NAMESPACE_LIMIT_REACHED');
    expect(outcome(await mkdir('/a', requests.length, 10))).toBe('stat');
  });

  it('refuses unknown sessions, and another owner’s session', async () => {
    expect(outcome(await mkdir('/a', 1, 0, 's2'))).toBe('NAMESPACE_SESSION_EXPIRED');
    expect(outcome(await tree.do('openSession', { id: 's1', owner: 'peer' }))).toBe('done');
    expect(outcome(await tree.do('openSession', { id: 's1', owner: 'other' }))).toBe('NAMESPACE_EXISTS');
    expect(outcome(await tree.do('openSession', { id: 'a/b', owner: 'x' }))).toBe(
      'NAMESPACE_INVALID_ARGUMENT',
    );
  });

  it('expires after an idle hour of log time, in Housekeeping alone', async () => {
    await mkdir('/a', 1);
    tree.timeMs += SESSION_IDLE_MS - 1;
    await tree.clean();
    expect(outcome(await mkdir('/b', 2))).toBe('stat');
    tree.timeMs += 2;
    expect(tree.machine.housekeepingDue(tree.timeMs)).toBe(true);
    await tree.clean();
    expect(outcome(await mkdir('/c', 3))).toBe('stat');
    tree.timeMs += SESSION_IDLE_MS;
    expect(outcome(await mkdir('/a', 1))).toBe('stat');
    await tree.clean();
    expect(outcome(await mkdir('/d', 4))).toBe('NAMESPACE_SESSION_EXPIRED');
    expect(await storedRows()).toBe(0);
    expect(tree.machine.counters()).toMatchObject({ sessions: 0, firstDeadlineMs: 0 });
    expect(await tree.store.scan('deadline', '', '~', 10)).toEqual([]);
  });
});
