/**
 * @module Writes the data directory of a metadata node that holds a large tree, in minutes instead of hours:
 * `node test/bench/big-tree.ts --out DIR [--files 1000000] [--dirs 1000] [--biggest-directory 100000] [--blocks-per-file 1]`.
 *
 * A cluster is founded as `cluster init` does, its first entries are applied, and the tree's rows are then put into the
 * store as if they had been applied too. The log is compacted behind them: whoever joins needs a snapshot. DIR/m1 is the
 * node's directory, DIR/client a client's profile, DIR/token lets others join, DIR/tree.json says what was written.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { decodeConfState, encodeConfState } from '../../src/metadata/raft-wire.ts';
import { DEFAULT_REPLICATION } from '../../src/namespace/limits.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { initCluster } from '../../src/node/init-cluster.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { BLOCK_SIZE_BYTES, TreeRows, type TreeShape } from './tree-rows.ts';
import { writeTree } from './tree-writer.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    files: { type: 'string', default: '1000000' },
    dirs: { type: 'string', default: '1000' },
    'biggest-directory': { type: 'string', default: '100000' },
    'blocks-per-file': { type: 'string', default: '1' },
  },
});
if (values.out === undefined) throw new Error('Say where to write: --out DIR');
const out = resolve(values.out);
const shape: TreeShape = {
  files: Number(values.files),
  directories: Number(values.dirs),
  biggestDirectory: Number(values['biggest-directory']),
  blocksPerFile: Number(values['blocks-per-file']),
  timeMs: systemClock.wallMs(),
};

const startMs = performance.now();
const directory = join(out, 'm1');
await mkdir(out, { recursive: true });
await found();
await fill();
await writeFile(join(out, 'tree.json'), `${JSON.stringify(shape)}\n`);
console.log({ ...shape, seconds: Math.round((performance.now() - startMs) / 1000) });

async function found(): Promise<void> {
  const { token } = await initCluster(
    { clock: systemClock, random: systemRandom, logger: silentLogger },
    { name: 'big-tree', replication: DEFAULT_REPLICATION, blockSizeBytes: BLOCK_SIZE_BYTES },
    {
      directory,
      profileDir: join(out, 'client'),
      name: 'm1',
      host: hostname(),
      roles: ['meta'],
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
    },
  );
  await writeFile(join(out, 'token'), token);
}

async function fill(): Promise<void> {
  const log = await openRaftLog(join(directory, 'raft.db'), { logger: silentLogger });
  const store = await openRowStore(join(directory, 'namespace.db'));
  try {
    const machine = await StateMachine.open({ store });
    const { confState } = log.initialState();
    for (const entry of log.entries(log.firstIndex(), log.lastIndex() + 1, Number.MAX_SAFE_INTEGER))
      if (entry.type === 'EntryNormal') await machine.apply([entry]);
      else await machine.applyConfState(entry.index, entry.term, encodeConfState(confState));
    await machine.close();
    await writeTree(store, new TreeRows(shape), machine.counters());
    const metadata = { index: machine.appliedIndex, term: log.term(machine.appliedIndex) };
    const applied = decodeConfState(machine.confState() ?? new Uint8Array());
    await log.compact(
      { metadata: { ...metadata, confState: applied }, data: new Uint8Array() },
      metadata.index,
    );
  } finally {
    await store.close();
    await log.close();
  }
}
