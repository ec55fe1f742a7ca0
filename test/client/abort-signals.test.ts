/** @module Whoever calls the SDK may stop waiting: every call takes a signal, and ends with its reason. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/client/client.ts';
import type { OperationOptions } from '../../src/client/client-options.ts';
import { CollectionClient } from '../../src/client/collection-client.ts';
import { BackupsClient } from '../../src/client/backups-client.ts';
import { TreeClient } from '../../src/client/tree-client.ts';
import { WorkersClient } from '../../src/client/workers-client.ts';
import type { Stat, Token } from '../../src/namespace/schema.ts';
import { contents, gather } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

type Call = (client: Client, options: Required<OperationOptions>) => Promise<unknown>;

const PATH = '/file';
const BYTES = contents(100_000);
const HASH = 'ab'.repeat(32);
/** Far below the time in which a call gives up by itself. */
const PROMPT_MS = 4_000;

/** Every call that talks to the cluster. */
const CALLS: Readonly<Record<string, Call>> = {
  append: (client, options) => client.append(PATH, BYTES, options),
  blocksHere: (client, options) => first(client.blocksHere('peer', options)),
  configure: (client, options) => client.configure({ voters: 5 }, options),
  copy: (client, options) => client.copy(PATH, '/other', options),
  createToken: (client, options) => client.createToken({ roles: ['client'], lifetimeMs: 60_000 }, options),
  drain: (client, options) => client.drain(2, options),
  explainLookup: (client, options) => client.explainLookup(HASH, options),
  get: async (client, options) => gather((await client.get(PATH, options)).bytes),
  list: (client, options) => first(client.list('/', options)),
  listTokens: (client, options) => client.listTokens(options),
  locate: (client, options) => client.locate(PATH, options),
  locationIndex: (client, options) => client.locationIndex(options),
  members: (client, options) => client.members(options),
  mkdir: (client, options) => client.mkdir('/directory', options),
  put: (client, options) => client.put(PATH, BYTES, options),
  removeMember: (client, options) => client.removeMember(2, options),
  removeTree: (client, options) => client.removeTree(PATH, options),
  rename: (client, options) => client.rename(PATH, '/other', options),
  revokeToken: (client, options) => client.revokeToken('id', options),
  rmdir: (client, options) => client.rmdir('/directory', options),
  saveBackup: (client, { signal }) => {
    const mark = { cluster: 'c', index: 1, timeMs: 1 };
    return client.saveBackup('/backup', chunks(), { mark, signal: signal as AbortSignal });
  },
  setAttributes: (client, options) => client.setAttributes(PATH, { mode: 0o600 }, options),
  setReplication: (client, options) => client.setReplication(PATH, 2, options),
  stat: (client, options) => client.stat(PATH, options),
  status: (client, options) => client.status(options),
  symlink: (client, options) => client.symlink('file', '/link', options),
  touch: (client, options) => client.touch(PATH, options),
  transferLeader: (client, options) => client.transferLeader(0, options),
  undrain: (client, options) => client.undrain(2, options),
  unlink: (client, options) => client.unlink(PATH, options),
  usage: (client, options) => client.usage('/', options),
  visitNodes: (client, options) => client.visitNodes(options),
  walk: (client, options) => first(client.walk('/', options)),
  'fileChecker.check': (client, options) => client.fileChecker(options).check(PATH),
  'collection.settings': (client, options) => client.collection.settings(options),
  'collection.reports': (client, options) => client.collection.reports(options),
  'collection.run': (client, options) => client.collection.run(options),
  'collection.configure': (client, options) => client.collection.configure({ graceMs: 60_000 }, options),
  'collection.undo': (client, options) => client.collection.undo(options),
  'collection.setRecovering': (client, options) => client.collection.setRecovering(true, options),
  'workers.list': (client, options) => client.workers.list('meta', options),
  'workers.control': (client, options) => client.workers.control('meta', 'repair', 'pause', options),
  'backups.list': (client, options) => client.backups.list(options),
  'backups.make': (client, options) => client.backups.make(options),
};
/** What asks nobody, or ends by itself; prepareRecovery needs a directory, and its signal is tested where it is. */
const OTHERS = ['constructor', 'close', 'metadataNodes', 'fileChecker', 'prepareRecovery'];

async function first(entries: AsyncIterable<unknown>): Promise<unknown> {
  for await (const entry of entries) return entry;
  return undefined;
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield BYTES;
}

describe('the SDK', () => {
  let cluster: FileCluster;
  let client: Client;
  let before: Stat;
  let tokens: readonly Token[];

  beforeAll(async () => {
    cluster = await FileCluster.start(1, 1);
    client = await cluster.client();
    await client.put(PATH, BYTES);
    before = await client.stat(PATH);
    tokens = await client.listTokens();
  });
  afterAll(() => cluster.stop());

  it('has no call that is not looked at here', () => {
    const own = (prototype: object, prefix = ''): string[] =>
      Object.getOwnPropertyNames(prototype)
        .filter((name) => !OTHERS.includes(name))
        .map((name) => prefix + name);
    const all = [
      ...own(Client.prototype),
      ...own(TreeClient.prototype),
      ...own(CollectionClient.prototype, 'collection.'),
      ...own(WorkersClient.prototype, 'workers.'),
      ...own(BackupsClient.prototype, 'backups.'),
      'fileChecker.check',
    ];
    expect(Object.keys(CALLS).toSorted()).toEqual(all.toSorted());
  });

  it.each(Object.entries(CALLS))(
    'gives up before it begins when its signal has fired: %s',
    async (_, call) => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(call(client, { signal })).rejects.toThrow('enough');
    },
  );

  it('has changed nothing by all that', async () => {
    const names: string[] = [];
    for await (const { name } of client.list('/')) names.push(name);
    expect(names).toEqual(['file']);
    expect(await client.stat(PATH)).toEqual(before);
    expect(await client.listTokens()).toEqual(tokens);
  });

  describe('when nobody answers', () => {
    let lost: Client;

    beforeAll(async () => {
      lost = await cluster.client();
      await lost.stat(PATH);
      await cluster.metadata.kill(1);
    });

    it('stops waiting as soon as its signal fires, whatever was called', async () => {
      const aborting = new AbortController();
      const startMs = performance.now();
      const calls = Object.entries(CALLS).map(async ([name, call]) => {
        const ended = await call(lost, { signal: aborting.signal }).catch((error: unknown) => error);
        return [name, String(ended), performance.now() - startMs < PROMPT_MS] as const;
      });
      // All of them are under way.
      await new Promise((resolve) => setImmediate(resolve));
      aborting.abort(new Error('enough'));
      const wanted = Object.keys(CALLS).map((name) => [name, 'Error: enough', true]);
      expect(await Promise.all(calls)).toEqual(wanted);
    });
  });
});
