/** @module Every metadata node is gone: the files are found again on the datanodes, as exactly as is promised. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const DATANODES = ['d1', 'd2', 'd3'];
/** Above what datanodes keep in their database of small blocks: a large file has blocks in files of their own, and an end there. */
const BLOCK_BYTES = 98_304;
const LARGE_BYTES = 5 * BLOCK_BYTES + 7;
const MANY = 150;
/** Renamed since the backup, and removed so shortly before it that clocks do not tell. */
const BEYOND = ['/after/old-name', '/before/removed'];

describe('a cluster that has lost every metadata node', () => {
  let cluster: LocalCluster;
  let token: string;
  /** Path, and the name and size that give its bytes. */
  const promised = new Map<string, readonly [string, number]>();

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 2, dataNodes: 3, replication: 2 });
    await using client = await cluster.connect();
    await fill(client);
  });
  afterAll(() => cluster?.stop());

  /** The result of a command that must not fail: its last line. */
  async function holdfast<T = object>(...words: string[]): Promise<T> {
    const { status, stdout, stderr } = await cluster.run([...words, '--json']);
    if (status !== 0) throw new Error(`holdfast ${words.join(' ')} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as T;
  }

  async function put(client: Client, path: string, sizeBytes: number, name = path): Promise<void> {
    await client.put(path, knownBytes(name, sizeBytes), { blockSizeBytes: BLOCK_BYTES, parents: true });
    promised.set(path, [name, sizeBytes]);
  }

  /** What a backup knows, and what was done since. */
  async function fill(client: Client): Promise<void> {
    await put(client, '/before/large', LARGE_BYTES);
    await put(client, '/before/replaced', LARGE_BYTES);
    await put(client, '/before/removed', 100);
    await put(client, '/before/was', LARGE_BYTES, 'moved');
    await client.rename('/before/was', '/before/moved');
    await client.copy('/before/large', '/before/copy');
    await client.touch('/before/empty');
    await client.unlink('/before/removed');
    for (const gone of ['/before/was', '/before/removed']) promised.delete(gone);
    promised.set('/before/moved', ['moved', LARGE_BYTES]);
    promised.set('/before/copy', ['/before/large', LARGE_BYTES]);
    promised.set('/before/empty', ['', 0]);
    await holdfast('backup', 'now');
    await put(client, '/before/replaced', 2 * BLOCK_BYTES, 'new content');
    await put(client, '/after/large', LARGE_BYTES);
    await client.append('/after/large', knownBytes('more', 10));
    await Promise.all(Array.from({ length: MANY }, (_, at) => put(client, `/after/many/${at}`, 50 + at)));
    // Not promised to be as it was: without a later backup it comes back under its old name.
    await put(client, '/after/old-name', 300);
    await client.rename('/after/old-name', '/after/new-name');
    promised.delete('/after/old-name');
  }

  const rejoin = (name: string) =>
    cluster.run(['node', 'rejoin', token, '--json', '--dir', cluster.nodeDirectory(name)]);

  it('keeps its datanodes as long as a metadata node answers', async () => {
    const words = [
      '--role',
      'meta',
      '--name',
      'm9',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      '--replication',
      '2',
    ];
    const init = ['cluster', 'init', '--recover', '--dir', cluster.nodeDirectory('m9'), ...words];
    ({ token } = await holdfast<{ token: string }>(...init));
    await cluster.node('m1').kill();
    await cluster.node('d1').kill();
    const refused = await rejoin('d1');
    expect(refused.status).toBe(EXIT.conflict);
    expect(refused.stderr).toContain('NODE_CLUSTER_ANSWERS');
  });

  it('gives them to the cluster that takes its place', async () => {
    await cluster.node('m2').kill();
    for (const name of ['m1', 'm2']) await rm(cluster.nodeDirectory(name), { recursive: true });
    await Promise.all(DATANODES.map((name) => cluster.node(name).kill()));
    await cluster.startNode('m9');
    const answers = await Promise.all(DATANODES.map(rejoin));
    expect(answers.map(({ status }) => status)).toEqual([EXIT.ok, EXIT.ok, EXIT.ok]);
    await Promise.all(DATANODES.map((name) => cluster.startNode(name)));
    await cluster.settled();
  });

  it('says what comes back before anything is changed, and that nothing is collected', async () => {
    const { plan, backup, silent } = await holdfast<{ plan: object; backup: object; silent: unknown[] }>(
      'recover',
      'namespace',
      '--from-datanodes',
    );
    expect(backup).toMatchObject({ index: expect.any(Number) });
    expect(silent).toEqual([]);
    // Besides what is promised: the backup itself, and what is in BEYOND.
    expect(plan).toMatchObject({ files: promised.size + 1 + BEYOND.length, lost: 0, directories: 2 });
    const resumed = await cluster.run(['gc', 'resume', '--json']);
    expect([resumed.status, resumed.stderr.includes('NAMESPACE_RECOVERY_OPEN')]).toEqual([
      EXIT.conflict,
      true,
    ]);
  });

  it('has every promised byte back, although the new metadata node is killed in the middle', async () => {
    const first = cluster.run(['recover', 'namespace', '--from-datanodes', '--yes', '--json']);
    await using client = await cluster.connect();
    await eventually('some are restored', 30_000, async () => {
      const { counters } = await client.status({ stale: true });
      return (counters?.files ?? 0) > 0 ? true : undefined;
    });
    await cluster.node('m9').kill();
    await cluster.startNode('m9');
    await first;
    const again = await holdfast<{ failed: unknown[]; kept: number }>(
      'recover',
      'namespace',
      '--from-datanodes',
      '--yes',
    );
    expect(again).toMatchObject({ failed: [], kept: 0 });
    for (const [path, [name, sizeBytes]] of promised) {
      if (path === '/after/large') continue;
      const { bytes } = await client.get(path);
      expect([path, await sha256Of(bytes)]).toEqual([path, await sha256Of(knownBytes(name, sizeBytes))]);
    }
    expect((await client.stat('/after/large')).sizeBytes).toBe(LARGE_BYTES + 10);
    const paths: string[] = [];
    for await (const { path, stat } of client.walk('/')) if (stat.kind === 'file') paths.push(path);
    const others = paths.filter((path) => !promised.has(path) && !path.startsWith('/.holdfast/'));
    expect(others.toSorted()).toEqual(BEYOND);
  });

  it('is an ordinary cluster again once the recovery is finished', async () => {
    await holdfast('recover', 'finish', '--yes');
    // What had too few copies, as the writers left it, is being made up for.
    await eventually('every file is healthy', 30_000, async () => {
      const { status } = await cluster.run(['fsck', '--json']);
      return status === EXIT.ok ? true : undefined;
    });
    expect(await holdfast('backup', 'now')).toMatchObject({ path: expect.stringContaining('/.holdfast/') });
  });
});
