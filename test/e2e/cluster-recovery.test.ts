/** @module Two of three metadata nodes are gone for good; the third goes on, and nothing that it knew is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from '../../cli/demo/local-cluster.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import type { Client } from '../../src/index.ts';
import { eventually } from './support/eventually.ts';
import { knownBytes, sha256Of } from './support/known-bytes.ts';

const FILE_BYTES = 300_000;

describe('a cluster whose majority is gone for good', () => {
  let cluster: LocalCluster;
  let client: Client;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ metadataNodes: 3, dataNodes: 2, replication: 2 });
    client = await cluster.connect();
    await client.put('/report', knownBytes('report', FILE_BYTES), { blockSizeBytes: 65_536 });
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.stop();
  });

  const directory = (): string => cluster.nodeDirectory('m3');
  const recover = (...words: readonly string[]) =>
    cluster.run(['cluster', 'recover', '--json', '--dir', directory(), ...words]);
  const codeOf = (stderr: string): string | undefined =>
    /"code":"(\w+)"/.exec(stderr.trim().split('\n').at(-1) ?? '')?.[1];

  it('is not recovered on a node that runs, nor without consent', async () => {
    await cluster.node('m1').kill();
    await cluster.node('m2').kill();
    const live = await recover('--yes');
    expect([live.status, codeOf(live.stderr)]).toEqual([EXIT.node, 'NODE_ALREADY_RUNNING']);
    await cluster.node('m3').kill();
    const unasked = await recover();
    expect(unasked.status).toBe(EXIT.usage);
  });

  it('is shown what is left, and goes on from there in a new epoch', async () => {
    const dry = await recover('--dry-run');
    expect(JSON.parse(dry.stdout)).toMatchObject({
      recovered: false,
      epoch: { from: 1, to: 2 },
      lost: [{ name: 'm1' }, { name: 'm2' }],
      survivors: [{ lastIndex: expect.any(Number), lastTerm: expect.any(Number) }],
    });
    const done = await recover('--yes');
    expect(done).toMatchObject({ status: EXIT.ok });
    await cluster.startNode('m3');

    await eventually('the file is read back', 20_000, async () => {
      const { bytes } = await client.get('/report');
      return (await sha256Of(bytes)) === (await sha256Of(knownBytes('report', FILE_BYTES)))
        ? true
        : undefined;
    });
    await eventually('a put works', 20_000, () =>
      client.put('/after', knownBytes('after', FILE_BYTES)).then(
        () => true as const,
        () => undefined,
      ),
    );
  });

  it.each(['m1', 'm2'])('turns %s away, which stops with a clear error', async (name) => {
    const old = await cluster.run(['node', 'start', '--json', '--dir', cluster.nodeDirectory(name)]);
    expect([old.status, codeOf(old.stderr)]).toEqual([EXIT.node, 'METADATA_SUPERSEDED']);
    expect(old.stderr).toContain('Join anew as a metadata node');
  });

  it('grows to three metadata nodes again, whom the datanodes find, and bears a loss', async () => {
    // The token of the founding names the address of a node that is gone.
    const { token } = await client.createToken({ roles: ['meta'], uses: 2, lifetimeMs: 600_000 });
    await cluster.join('m4', token);
    await cluster.join('m5', token);
    await cluster.settled();
    await eventually('both datanodes have announced everything to the newcomers', 30_000, async () => {
      const { metadataNodes } = await client.status();
      const records = metadataNodes.map(({ indexRecords }) => indexRecords);
      return records.length === 3 && Math.min(...records) === Math.max(...records) ? true : undefined;
    });
    await cluster.node('m3').kill();
    // The old client learns of newcomers every ten seconds; the profile has them already.
    await client.close();
    client = await cluster.connect();
    await eventually('the others go on', 30_000, async () => {
      const { membership, dataNodes } = await client.status();
      const alive = dataNodes.filter(({ liveness }) => liveness === 'alive').length;
      return membership?.voters.length === 3 && alive === 2 ? true : undefined;
    });
    await client.put('/last', knownBytes('last', FILE_BYTES));
    const { bytes } = await client.get('/report');
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('report', FILE_BYTES)));
  });

  it('lets the dead one and a living one be removed, down to one; the living one ends by itself', async () => {
    await remove('m3');
    await removeRunning('m5', 'METADATA_REMOVED');
    await client.put('/alone', knownBytes('alone', FILE_BYTES));
  });

  it('lets a running datanode be removed, once a person accepts what that costs; it ends by itself, too', async () => {
    await removeRunning('d2', 'DATANODE_REMOVED', '--force');
    const { bytes } = await client.get('/alone');
    expect(await sha256Of(bytes)).toBe(await sha256Of(knownBytes('alone', FILE_BYTES)));
  });

  async function remove(name: string, ...flags: readonly string[]): Promise<void> {
    const { stdout } = await cluster.run(['cluster', 'remove', name, '--json', ...flags]);
    const isForced = flags.includes('--force');
    expect(JSON.parse(stdout)).toMatchObject({ name, removed: true, ...(!isForced && { concerns: [] }) });
  }

  /** Its process ends with `reason`, and it is not started again. */
  async function removeRunning(name: string, reason: string, ...flags: readonly string[]): Promise<void> {
    const node = cluster.node(name);
    await remove(name, ...flags);
    await eventually(`${name} has ended`, 15_000, () => (node.isRunning ? undefined : true));
    expect(await node.kill()).toMatchObject({ code: EXIT.node });
    expect(node.logTail).toContain(reason);
    const again = await cluster.run(['node', 'start', '--json', '--dir', cluster.nodeDirectory(name)]);
    expect([again.status, codeOf(again.stderr)]).toEqual([EXIT.node, 'NODE_HAS_LEFT']);
  }
});
