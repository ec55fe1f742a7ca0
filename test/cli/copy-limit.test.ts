/** @module How fast copies could be made, and what the status says of it. */
import { describe, expect, it } from 'vitest';
import { copyLimit, shareOfLimit } from '../../cli/copy-limit.ts';
import { repairLines, repairProgress } from '../../cli/repair-progress.ts';
import { scrubCheck } from '../../cli/scrub-health.ts';
import { DataNodeStatus, StatusResponse } from '../../src/protocol/messages.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
const NOW_MS = 100 * DAY_MS;

const datanode = (more: object): DataNodeStatus =>
  DataNodeStatus.fromPartial({ member: { number: 4, name: 'd4' }, liveness: 'alive', ...more });

describe('what limits copies', () => {
  it('is half of the disks, which read and write, or the network, whichever is less', () => {
    const nodes = (disk: number, network: number | undefined): DataNodeStatus[] => [
      datanode({ rates: { disk, network } }),
      datanode({ rates: { disk, network } }),
      datanode({ liveness: 'dead', rates: { disk: 1e12, network: 1e12 } }),
    ];
    expect(copyLimit(nodes(100, 500))).toEqual({ bytesPerSecond: 100, by: 'disk' });
    expect(copyLimit(nodes(100, 20))).toEqual({ bytesPerSecond: 40, by: 'network' });
    expect(copyLimit(nodes(100, undefined))).toEqual({ bytesPerSecond: 100, by: 'disk' });
    expect(copyLimit([datanode({})])).toBeUndefined();
    expect(shareOfLimit(1, undefined)).toBe('');
  });

  it('stands beside the rate, the time left and what is at risk', () => {
    const status = StatusResponse.fromPartial({
      dataNodes: [datanode({ rates: { disk: 200 * MIB } })],
      keepers: [
        {
          left: [{ copies: 1, blocks: 2, missingBytes: 400 * MIB }],
          copying: 3,
          bytesPerSecond: 40 * MIB,
        },
      ],
    });
    expect(repairLines(repairProgress(status))).toEqual([
      '',
      '2 blocks with 1 copy left: 400.0 MiB to copy',
      'Repair: 3 copies on the way, 40.0 MiB/s (40% of what the disks allow), done in about 10 s',
    ]);
  });
});

describe('what holds repair up', () => {
  it('is also that it is not known everywhere what datanodes hold, though nothing is at risk as far as is known', () => {
    const lines = (unknownShards: number, more: object = {}): readonly string[] =>
      repairLines(repairProgress(StatusResponse.fromPartial({ keepers: [{ unknownShards }, more] })));
    expect(lines(0)).toEqual([]);
    expect(lines(7, { unknownShards: 5 })).toEqual([
      '',
      expect.stringMatching(/^Repair waits: .* 12 shards \(index-incomplete\).*dht status/),
    ]);
    expect(lines(1, { copying: 1 }).at(-1)).toMatch(/ 1 shard \(index-incomplete\)/);
  });

  it('is named, blocks counted over all keepers, and who paused it', () => {
    const workers = [{ name: 'repair', state: 'paused' }];
    const failed = { reason: 'copy-failed', blocks: 2, bytes: 2 };
    const waiting = { reason: 'busy', blocks: 7, bytes: 7 };
    const left = [{ copies: 2, blocks: 2, missingBytes: 4 * MIB }];
    const keepers = [
      { node: 1, left, stuck: [failed, waiting] },
      { node: 3, stuck: [failed], workers },
    ];
    const lines = repairLines(repairProgress(StatusResponse.fromPartial({ keepers })));
    expect(lines.slice(3)).toEqual([
      expect.stringMatching(/^ {2}4 blocks stuck \(copy-failed\): .*repair\.copy-failed/),
      expect.stringMatching(/^ {2}repair is paused on node 3 .*holdfast worker resume repair/),
    ]);
  });
});

describe('the check of the scrub', () => {
  const check = (...scrubs: (object | undefined)[]): { health: string; finding: string } =>
    scrubCheck(StatusResponse.fromPartial({ dataNodes: scrubs.map((scrub) => datanode({ scrub })) }), NOW_MS);

  it('is well while everything is read in time', () => {
    const fresh = { startedMs: NOW_MS - DAY_MS };
    const done = { startedMs: NOW_MS - 3 * DAY_MS, endedMs: NOW_MS, completeSinceMs: NOW_MS - 3 * DAY_MS };
    expect(check(fresh, done, undefined)).toMatchObject({
      health: 'ok',
      finding: expect.stringContaining('1 of 2 datanodes'),
    });
  });

  it('warns of bad copies, and of a datanode that does not come round', () => {
    const bad = { startedMs: NOW_MS - DAY_MS, corrupt: 3 };
    expect(check(bad)).toMatchObject({ health: 'warn' });
    expect(check(bad).finding).toContain('3 bad copies on 4 (d4)');
    const late = { startedMs: NOW_MS - DAY_MS, completeSinceMs: NOW_MS - 29 * DAY_MS };
    expect(check(late)).toMatchObject({ health: 'warn' });
    expect(check({ startedMs: NOW_MS - 29 * DAY_MS }).health).toBe('warn');
  });
});
