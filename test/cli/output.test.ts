/** @module What becomes of results that nobody can be given. */
import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { exitStatusOf, EXIT } from '../../cli/exit-codes.ts';
import { Output } from '../../cli/output.ts';

/** Standard output that fails with `code` when it is first written to. */
function failing(code: string): Output {
  const error = Object.assign(new Error(`${code}: write`), { code });
  // As that of a process: the failure is forgotten, and more would be taken.
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(error),
    destroy(cause, done) {
      done(cause);
      (this as Writable & { _undestroy(): void })._undestroy();
    },
  });
  stdout.on('error', () => undefined);
  const other = new PassThrough();
  return new Output({ stdout, stderr: other, stdin: other, env: {}, isInteractive: false }, { json: false });
}

it.each([
  ['ENOSPC', 'CLI_LOCAL_FAILED', EXIT.failed],
  ['EIO', 'CLI_LOCAL_FAILED', EXIT.failed],
  ['EPIPE', 'CLI_OUTPUT_CLOSED', EXIT.outputClosed],
])('a standard output that fails with %s is %s', async (reason, code, status) => {
  const failure: unknown = await failing(reason)
    .note('a result')
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code });
  expect(exitStatusOf(failure)).toBe(status);
});
