import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB, toHex } from '../../src/common/bytes.ts';
import { SUPPORTED_FEATURE_LEVEL } from '../../src/namespace/feature-level.ts';
import { type BlockRef, type Command, CommandBatch, type Result } from '../../src/namespace/schema.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { block, command, FoundedMachine, outcome, START_MS } from './founded-machine.ts';
import { ModelRefusal, TreeModel } from './tree-model.ts';

// Few names and blocks, so that commands meet: the last two sort differently by UTF-16 and by UTF-8.
const anyName = fc.constantFrom('a', 'b', '\u{ff5e}', '\u{1f600}');
const path = fc.array(anyName, { minLength: 1, maxLength: 3 });
const texts = fc.array(fc.constantFrom('p', 'q', 'r', 's', 't'), { maxLength: 4 });
const linkTarget = fc.oneof(
  path.map((names) => `/${names.join('/')}`),
  fc.tuple(fc.constantFrom('', '../', '../../'), path).map(([up, names]) => up + names.join('/')),
);
const text = (names: readonly string[]): string => `/${names.join('/')}`;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mkdir' as const), path, flag: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), path, blocks: texts, flag: fc.boolean() }),
  },
  fc.record({ do: fc.constant('begin' as const), path }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beginAppend' as const), path }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('symlink' as const), path, target: linkTarget }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('append' as const), pick: fc.nat(9), blocks: texts }) },
  fc.record({ do: fc.constant('close' as const), pick: fc.nat(9) }),
  fc.record({ do: fc.constant('abandon' as const), pick: fc.nat(9) }),
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path, flag: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unlink' as const), path }) },
  fc.record({ do: fc.constant('rmdir' as const), path }),
  fc.record({ do: fc.constant('removeTree' as const), path }),
  fc.record({
    do: fc.constant('setReplication' as const),
    path,
    replication: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ do: fc.constant('housekeeping' as const), limit: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('flush' as const) }),
  fc.record({ do: fc.constant('reopen' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Change = Exclude<Step, { do: 'flush' | 'reopen' }>;

/** The machine under test: a tiny cache, constant flushes, and the log at hand to come back after a restart. */
class Replica {
  readonly tree: FoundedMachine;
  readonly log: Command[] = [];
  readonly #firstIndex: number;
  /** Fencing tokens by inode, in the order of the grants. */
  readonly grants = new Map<number, number>();

  constructor(tree: FoundedMachine) {
    this.tree = tree;
    this.#firstIndex = tree.index + 1;
  }

  async apply(next: Command): Promise<Result> {
    this.log.push(next);
    const result = await this.tree.send({ session: '', sequence: 0, ackedBelow: 0, command: next });
    if (result.kind?.$case === 'grant')
      this.grants.set(result.kind.value.inode, result.kind.value.fencingToken);
    return result;
  }

  /** Loses what was not flushed and applies it again from the log. */
  async reopen(): Promise<void> {
    await this.tree.reopen();
    const missing = this.log.slice(this.tree.index + 1 - this.#firstIndex);
    await this.tree.machine.apply(entries(missing, this.tree.index + 1));
    this.tree.index += missing.length;
  }
}

function entries(commands: readonly Command[], firstIndex: number) {
  return commands.map((next, position) => ({
    index: firstIndex + position,
    term: 1,
    data: CommandBatch.encode({
      format: SUPPORTED_FEATURE_LEVEL,
      timeMs: START_MS,
      commands: [{ session: '', sequence: 0, ackedBelow: 0, command: next }],
    }).finish(),
  }));
}

/** What the model says: 'ok' or the code of its refusal. */
function told(body: () => void): string {
  try {
    body();
    return 'ok';
  } catch (error) {
    if (error instanceof ModelRefusal) return error.code;
    throw error;
  }
}

function refs(names: readonly string[]): BlockRef[] {
  return names.map((name) => block(name));
}

/** Does one step to model and machine, and gives what each of them says of it. */
async function takeStep(change: Change, model: TreeModel, replica: Replica): Promise<[string, string]> {
  const did = async (next: Command): Promise<string> => {
    const said = outcome(await replica.apply(next));
    return said.startsWith('NAMESPACE_') ? said : 'ok';
  };
  const opened = [...model.open.keys()];
  const pick = 'pick' in change ? opened[change.pick % Math.max(opened.length, 1)] : undefined;
  const claim = { inode: pick ?? 0, fencingToken: replica.grants.get(pick ?? 0) ?? 0 };
  if ('pick' in change && pick === undefined) return ['ok', 'ok'];
  switch (change.do) {
    case 'mkdir':
      return [
        told(() => model.mkdir(change.path, change.flag)),
        await did(command('makeDirectory', { path: text(change.path), parents: change.flag })),
      ];
    case 'put':
      return [
        told(() => model.put(change.path, change.blocks, change.flag)),
        await did(
          command('createFile', {
            path: text(change.path),
            complete: true,
            blocks: refs(change.blocks),
            blockSizeBytes: MIB,
            precondition: { ifAbsent: change.flag, ifVersion: 0 },
          }),
        ),
      ];
    case 'begin': {
      const inode = replica.tree.machine.counters().nextInode;
      return [
        told(() => model.begin(inode, change.path)),
        await did(command('createFile', { path: text(change.path), blockSizeBytes: MIB })),
      ];
    }
    case 'beginAppend': {
      const inode = replica.tree.machine.counters().nextInode;
      return [
        told(() => model.beginAppend(inode, change.path)),
        await did(command('openAppend', { path: text(change.path) })),
      ];
    }
    case 'symlink':
      return [
        told(() => model.symlink(change.path, change.target)),
        await did(command('makeSymlink', { path: text(change.path), target: change.target })),
      ];
    case 'append': {
      const writing = model.open.get(claim.inode)!;
      const firstBlock = writing.blocks.length;
      writing.blocks.push(...change.blocks);
      return [
        'ok',
        await did(command('appendBlocks', { ...claim, firstBlock, blocks: refs(change.blocks) })),
      ];
    }
    case 'close':
      return closeStep(model, claim, did);
    case 'abandon':
      model.open.delete(claim.inode);
      return ['ok', await did(command('abandonFile', claim))];
    case 'rename':
      return [
        told(() => model.rename(change.path, change.to, change.flag)),
        await did(
          command('rename', { from: text(change.path), to: text(change.to), noClobber: change.flag }),
        ),
      ];
    case 'copy':
      return [
        told(() => model.copy(change.path, change.to)),
        await did(command('copyFile', { from: text(change.path), to: text(change.to) })),
      ];
    case 'unlink':
      return [
        told(() => model.unlink(change.path)),
        await did(command('unlink', { path: text(change.path) })),
      ];
    case 'rmdir':
      return [
        told(() => model.rmdir(change.path)),
        await did(command('removeDirectory', { path: text(change.path) })),
      ];
    case 'removeTree':
      return [
        told(() => model.removeTree(change.path)),
        await did(command('removeTree', { path: text(change.path) })),
      ];
    case 'setReplication':
      return [
        told(() => model.setReplication(change.path, change.replication)),
        await did(command('setReplication', { path: text(change.path), replication: change.replication })),
      ];
    case 'housekeeping':
      return ['ok', await did(command('housekeeping', { limit: change.limit }))];
  }
}

async function closeStep(
  model: TreeModel,
  claim: { readonly inode: number; readonly fencingToken: number },
  did: (next: Command) => Promise<string>,
): Promise<[string, string]> {
  const appendTo = model.open.get(claim.inode)?.appendTo;
  const keepBlocks = appendTo?.blocks.length ?? 0;
  return [
    told(() =>
      appendTo === undefined ? model.close(claim.inode) : model.closeAppend(claim.inode, keepBlocks),
    ),
    await did(
      appendTo === undefined ? command('closeFile', claim) : command('closeAppend', { ...claim, keepBlocks }),
    ),
  ];
}

async function expectSameTree(model: TreeModel, machine: StateMachine): Promise<void> {
  const directories = [{ names: [] as readonly string[], node: model.root as TreeModel['root'] }];
  for (const { names, node } of model.all()) {
    const stat = await machine.stat(text(names), { noFollow: true });
    expect(stat.kind).toBe(node.kind);
    expect(stat.path).toBe(text(names));
    if (node.kind === 'directory') {
      directories.push({ names, node });
      continue;
    }
    if (node.kind === 'symlink') {
      expect(stat.linkTarget).toBe(node.target);
      continue;
    }
    expect(stat.replication).toBe(node.replication);
    const { blocks } = await machine.fileBlocks({ path: text(names) }, 0, 100);
    expect(blocks).toEqual(node.blocks.map((name) => block(name)));
  }
  for (const { names, node } of directories) {
    const { entries: listed, directory } = await machine.list(text(names), '', 100);
    const sorted = [...node.children.keys()].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    expect(listed.map((entry) => entry.name)).toEqual(sorted);
    expect(directory.childCount).toBe(sorted.length);
  }
}

/** With nothing left to free, counters and references are exactly what the tree says. */
async function expectSameCounts(model: TreeModel, machine: StateMachine): Promise<void> {
  const files = [...model.all()].flatMap(({ node }) => (node.kind === 'file' ? [node] : []));
  const written = [
    ...files.map((file) => file.blocks),
    ...[...model.open.values()].map((open) => open.blocks),
  ];
  const references = new Map<string, number>();
  for (const name of written.flat()) references.set(name, (references.get(name) ?? 0) + 1);
  const size = block('').sizeBytes;
  const directories = [...model.all()].filter(({ node }) => node.kind === 'directory').length;
  expect(machine.counters()).toMatchObject({
    files: [...model.all()].length - directories,
    directories: 1 + directories,
    logicalBytes: files.reduce((sum, file) => sum + file.blocks.length * size, 0),
    blocks: references.size,
    blockBytes: references.size * size,
    leases: model.open.size,
    orphans: 0,
  });
  const wanted = await machine.scanBlocks('', 100);
  expect(wanted.map(({ hash }) => hash)).toEqual(
    [...references.keys()].map((name) => toHex(block(name).hash)).toSorted(),
  );
  for (const file of files)
    for (const name of file.blocks) {
      const row = wanted.find(({ hash }) => hash === toHex(block(name).hash));
      expect(row?.copies).toBeGreaterThanOrEqual(references.get(name) === 1 ? file.replication : 1);
    }
  const copiedBytes = wanted.reduce((sum, { sizeBytes, copies }) => sum + sizeBytes * copies, 0);
  expect(machine.counters().wantedBytes).toBe(copiedBytes);
}

/** From one row to a handful: rows are evicted in the middle of a command that has read them. */
const cacheSize = fc.constantFrom(1, 400, 1000, 4000);

describe('the namespace', () => {
  it('is the tree that a simple model says, whatever is cached, flushed or lost in a restart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), cacheSize, async (steps, cacheSizeBytes) => {
        const store = new MemoryRowStore();
        const tree = await FoundedMachine.create(store, { cacheSizeBytes, maxDirtyRows: 6 });
        const founded = tree.index;
        await tree.machine.flush();
        const replica = new Replica(tree);
        const model = new TreeModel();
        for (const next of steps) {
          if (next.do === 'flush') await tree.machine.flush();
          else if (next.do === 'reopen') await replica.reopen();
          else {
            const [wanted, got] = await takeStep(next, model, replica);
            expect(got, JSON.stringify(next)).toBe(wanted);
          }
        }
        await expectSameTree(model, tree.machine);
        while (tree.machine.housekeepingDue(START_MS))
          await replica.apply(command('housekeeping', { limit: 3 }));
        await expectSameTree(model, tree.machine);
        await expectSameCounts(model, tree.machine);

        // A machine with other caches that is given the same log in one go is equal to the last byte.
        const other = await FoundedMachine.create();
        await other.machine.apply(entries(replica.log, founded + 1));
        expect(await other.machine.namespaceHash()).toEqual(await tree.machine.namespaceHash());
      }),
      { numRuns: 150 },
    );
  });
});
