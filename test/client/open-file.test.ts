/** @module A file that is being written, and what is said of it and done about it when the writing fails. */
import { expect, it } from 'vitest';
import type { ClientContext } from '../../src/client/client-context.ts';
import { attemptUnknown } from '../../src/client/errors.ts';
import type { MutationCommand } from '../../src/client/mutations.ts';
import { OpenFile } from '../../src/client/open-file.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { noQuorum } from '../../src/metadata/errors.ts';
import { Grant, CreateFile } from '../../src/namespace/schema.ts';
import { timedOut } from '../../src/network/errors.ts';
import { ManualClock } from '../manual-clock.ts';

const { signal } = new AbortController();
const WRITTEN = { blocks: [], era: 1, requiredCopies: 2, writtenTo: [] };
const NO_QUORUM = noQuorum('commit the change', 3_500);
const TIMED_OUT = timedOut('somebody', 'meta.mutate', 4_000);

it('is given up, unless nobody is there to take note of it', async () => {
  const given: unknown[] = [];
  for (const reason of [new Error('the source failed'), TIMED_OUT, NO_QUORUM]) {
    const commands: string[] = [];
    const file = await openFile(async ({ $case }) => {
      commands.push($case);
      return undefined;
    });
    await file.abandon(reason);
    given.push(commands);
  }
  expect(given).toEqual([['abandonFile'], ['abandonFile'], []]);
});

it('has surely not come to be seen when nobody knows whether something was appended to it for lack of a quorum', async () => {
  const codes: unknown[] = [];
  for (const cause of [NO_QUORUM, TIMED_OUT]) {
    const file = await openFile(() => Promise.reject(attemptUnknown('appendBlocks', cause)));
    codes.push(await codeOf(file.append(WRITTEN, signal)));
  }
  expect(codes).toEqual(['METADATA_NO_QUORUM', 'CLIENT_OUTCOME_UNKNOWN']);
});

it('may have left directories behind that were to be made for it', async () => {
  const codes: unknown[] = [];
  for (const parents of [false, true]) {
    const file = CreateFile.fromPartial({ path: '/a/b', parents });
    const context = contextOf(() => Promise.reject(attemptUnknown('createFile', NO_QUORUM)));
    codes.push(await codeOf(OpenFile.create(context, file, signal)));
  }
  expect(codes).toEqual(['METADATA_NO_QUORUM', 'CLIENT_OUTCOME_UNKNOWN']);
});

it('may be seen when nobody knows whether it was closed', async () => {
  const file = await openFile(() => Promise.reject(attemptUnknown('closeFile', NO_QUORUM)));
  expect(await codeOf(file.close(undefined, 0, signal))).toBe('CLIENT_OUTCOME_UNKNOWN');
});

type Run = (command: MutationCommand) => Promise<unknown>;

/** Whose further commands go to `run`. */
function openFile(run: Run): Promise<OpenFile> {
  const grant = Grant.fromPartial({ inode: 7, fencingToken: 1 });
  const granted = { kind: { $case: 'grant', value: grant } };
  const context = contextOf((command) =>
    command.$case === 'createFile' ? Promise.resolve(granted) : run(command),
  );
  return OpenFile.create(context, CreateFile.fromPartial({ path: '/a' }), signal);
}

function contextOf(run: Run): ClientContext {
  const context = { mutations: { run }, clock: new ManualClock(), logger: silentLogger };
  return context as unknown as ClientContext;
}

async function codeOf(step: Promise<unknown>): Promise<unknown> {
  return step.then(
    () => undefined,
    (error: { readonly code: string }) => error.code,
  );
}
