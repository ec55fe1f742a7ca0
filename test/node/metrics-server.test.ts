/** @module Prometheus metrics of a node: what it says of itself, at one path. */
import { expect, it } from 'vitest';
import { MetricsServer } from '../../src/node/metrics-server.ts';
import { KeeperReport } from '../../src/protocol/messages.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';

it('serves room, log and workers as Prometheus reads them, and nothing else', async () => {
  const blocks = new MemoryBlockStore({ capacityBytes: 4_096 });
  const worker = { name: 'scrub', isPausable: true, steps: 7, failures: 2, progress: '' };
  const stuck = { code: 'X', message: 'x' };
  let report: KeeperReport | undefined = KeeperReport.fromPartial({
    left: [{ copies: 1, blocks: 2, missingBytes: 30 }],
    stuck: [{ reason: 'no-target', blocks: 4 }],
    departures: [{ node: 9, bytes: 6 }],
    bytesPerSecond: 7,
  });
  const metrics = await MetricsServer.start(
    {
      usage: () => blocks.usage(),
      raft: () => ({ term: 3, commit: 9, applied: 8, isLeader: true }),
      scrub: () => ({ startedMs: 1, endedMs: 0, blocks: 5, bytes: 50, corrupt: 1, completeSinceMs: 2_000 }),
      keeper: () => report,
      workers: new Map([['data', () => [{ ...worker, state: 'stuck' as const, stuck }]]]),
    },
    '127.0.0.1:0',
  );
  const at = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${metrics.port}${path}`);
  const text = await (await at('/metrics')).text();
  for (const line of [
    'holdfast_block_store_bytes{of="capacity"} 4096',
    'holdfast_raft{of="applied"} 8',
    'holdfast_worker_steps{role="data",worker="scrub"} 7',
    'holdfast_worker_failures{role="data",worker="scrub"} 2',
    'holdfast_worker_stuck{role="data",worker="scrub"} 1',
    'holdfast_worker_state{role="data",worker="scrub",state="stuck"} 1',
    'holdfast_worker_state{role="data",worker="scrub",state="idle"} 0',
    'holdfast_scrub_corrupt 1',
    'holdfast_scrub_running 1',
    'holdfast_scrub_complete_since_seconds 2',
    'holdfast_at_risk_blocks{copies="1"} 2',
    'holdfast_at_risk_missing_bytes{copies="1"} 30',
    'holdfast_repair_bytes_per_second 7',
    'holdfast_repair_stuck_blocks{reason="no-target"} 4',
    'holdfast_drain_left_bytes{node="9"} 6',
  ])
    expect(text).toContain(line);
  report = KeeperReport.fromPartial({});
  expect(await (await at('/metrics')).text()).not.toContain('holdfast_at_risk_blocks{');
  expect((await at('/')).status).toBe(404);
  const taken = MetricsServer.start({ workers: new Map() }, `127.0.0.1:${metrics.port}`);
  await expect(taken).rejects.toMatchObject({ code: 'NODE_PORT_IN_USE' });
  await metrics.stop();
  await expect(MetricsServer.start({ workers: new Map() }, 'nowhere')).rejects.toMatchObject({
    code: 'NODE_INVALID_ADDRESS',
  });
});
