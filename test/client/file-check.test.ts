/** @module What fsck says of files whose copies are lost, rotten, out of service or silent. */
import { afterEach, expect, it } from 'vitest';
import { KIB } from '../../src/common/bytes.ts';
import { contents, hashOf } from './bytes.ts';
import { FileCluster, type RunningDataNode } from './file-cluster.ts';

let cluster: FileCluster;
afterEach(() => cluster.stop());

it('asks the datanodes themselves: healthy, under-replicated, corrupt, missing', async () => {
  cluster = await FileCluster.start(1, 2);
  const client = await cluster.client();
  const [one, two] = cluster.datanodes as [RunningDataNode, RunningDataNode];
  const files = ['well', 'short', 'rotten', 'gone'].map((name) => [name, contents(70 * KIB, name)] as const);
  for (const [name, bytes] of files) await client.put(`/${name}`, bytes, { replication: 2 });
  const hash = (name: string): string => hashOf(files.find(([file]) => file === name)?.[1] as Uint8Array);
  // Behind their backs: the index still names both.
  await one.blocks.remove(hash('short'));
  for (const { blocks } of [one, two]) await blocks.remove(hash('gone'));
  two.blocks.corrupt(hash('rotten'), 9);

  const states = async (verify: boolean): Promise<string[]> => {
    const checker = client.fileChecker({ verify });
    return Promise.all(files.map(async ([name]) => (await checker.check(`/${name}`)).state));
  };
  expect(await states(false)).toEqual(['healthy', 'under-replicated', 'healthy', 'missing']);
  expect((await states(true)).at(2)).toBe('corrupt');
});
