/** @module All processes killed at once during writes. More rounds: node test/bench/power-cut.ts --rounds 20 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { runPowerCuts } from './support/power-cut.ts';

describe('a cluster whose power fails', () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 3 });
  });
  afterAll(() => cluster?.stop());

  it('has every acknowledged file, identical, after each of two power cuts', async () => {
    const rounds = await runPowerCuts(cluster, { rounds: 2 });
    expect(rounds).toHaveLength(2);
    for (const { acknowledged, lost, stray } of rounds) {
      expect(acknowledged).toBeGreaterThan(0);
      expect(lost).toEqual([]);
      expect(stray).toEqual([]);
    }
    // Not only rows in the database of small blocks.
    const blocks = join(cluster.nodeDirectory('d1'), 'blocks', 'blocks');
    const entries = await readdir(blocks, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isFile()).length).toBeGreaterThan(0);
  });
});
