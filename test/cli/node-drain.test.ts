/** @module What the status says of a datanode that is being emptied. */
import { expect, it } from 'vitest';
import { drainLine } from '../../cli/node-drain.ts';
import { DataNodeStatus, StatusResponse } from '../../src/protocol/messages.ts';

const MIB = 1024 * 1024;

it('says how much is left, at what rate, of which limit, and why it does not go on', () => {
  const line = (datanode: object, keeper: object = {}): string => {
    const member = { number: 4, name: 'd4', drain: 'draining' };
    const status = DataNodeStatus.fromPartial({ member, liveness: 'alive', ...datanode });
    const dataNodes = [status, { ...status, rates: { disk: 80 * MIB } }];
    return drainLine(StatusResponse.fromPartial({ dataNodes, keepers: [keeper] }), status);
  };
  const left = { departingBlocks: 3, departingBytes: 100 * MIB };
  expect(line({})).toBe('Node 4 (d4) drains: what is still needed on it is being counted');
  expect(line(left, { bytesPerSecond: 10 * MIB })).toBe(
    'Node 4 (d4) drains: 3 blocks (100.0 MiB) still to be brought elsewhere at 10.0 MiB/s (25% of what the disks allow), done in about 10 s',
  );
  const stuck = [{ reason: 'no-target', blocks: 3, bytes: 100 * MIB }];
  expect(line(left, { departures: [{ node: 4, blocks: 3, bytes: 100 * MIB, stuck }] })).toContain(
    '3 blocks stuck (no-target)',
  );
  const unknown = '12 shards (index-incomplete)';
  expect(line({}, { unknownShards: 12 })).toContain(
    `counted; what datanodes hold is not known yet in ${unknown}`,
  );
  expect(line(left, { unknownShards: 12 })).toContain(unknown);
  expect(line({ member: { number: 4, name: 'd4', drain: 'drained' } })).toContain('may be removed');
});
