/** @module What is told of the background work of several nodes. */
import { expect, it } from 'vitest';
import { FakeClient, run } from './fake-terminal.ts';

it.each([['list'], ['pause', 'scrub']])(
  'names a node once that is asked for both of its roles: %s',
  async (...words) => {
    const client = new FakeClient();
    const failure = { code: 'NETWORK_UNREACHABLE', message: 'nobody there' };
    const answers = [
      { member: { number: 1, name: 'a' }, answer: { workers: [] } },
      { member: { number: 7, name: 'b' }, failure },
    ];
    const ask = async (): Promise<object> => answers;
    Object.assign(client, { workers: { list: ask, control: ask } });
    const { status, stdout } = await run(['worker', ...words], { client });
    expect(status).toBe(0);
    expect(stdout.match(/node 7\b/gi)).toHaveLength(1);
  },
);
