/** @module `holdfast balance` over one status answer. */
import { expect, it } from 'vitest';
import { balanceLines, balanceView } from '../../cli/balance.ts';
import { StatusResponse } from '../../src/protocol/messages.ts';

const MIB = 1024 ** 2;

function status(used: readonly number[], more: object = {}): StatusResponse {
  return StatusResponse.fromPartial({
    cluster: { balanceBytesPerSecond: 10 * MIB },
    dataNodes: used.map((each, position) => ({
      member: { number: position + 1, name: `d${position + 1}` },
      liveness: 'alive',
      capacityBytes: 1000 * MIB,
      usedBytes: each * MIB,
      freeBytes: (1000 - each) * MIB,
      ...(position === 0 && more),
    })),
  });
}

it('shows what moves to an empty datanode, how much, and how long it takes', () => {
  const view = balanceView(status([600, 600, 0]));
  expect(view.transfers.map(({ target, bytes }) => [target, bytes / MIB])).toEqual([
    [3, 200],
    [3, 200],
  ]);
  expect(view.durationMs).toBe(40_000);
  expect(balanceLines(view, true).join('\n')).toMatch(/400.0 MiB move[^]*200.0 MiB from node 1 to 3/);
});

it('leaves out who is dead or being emptied, and what waits in quarantine', () => {
  expect(balanceView(status([900, 500, 500], { liveness: 'dead' })).transfers).toEqual([]);
  expect(
    balanceView(status([900, 500, 500], { member: { number: 1, drain: 'draining' } })).transfers,
  ).toEqual([]);
  const view = balanceView(status([900, 500, 500], { quarantinedBytes: 400 * MIB }));
  expect(balanceLines(view, true).join('\n')).toContain('nothing moves');
});
