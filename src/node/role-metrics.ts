/** @module The metrics of the roles that a node runs. */
import type { DataNode } from '../datanode/data-node.ts';
import type { MetadataNode } from '../metadata/metadata-node.ts';
import type { BlockStore } from '../storage/block-store.ts';

export interface MeasuredRoles {
  readonly blocks: BlockStore | undefined;
  readonly data: DataNode | undefined;
  readonly metadata: MetadataNode | undefined;
}

/** Serves them at `listen` (host:port). Loaded only where somebody asks for it. Errors: those of MetricsServer.start. */
export async function startMetrics(
  listen: string,
  { blocks, data, metadata }: MeasuredRoles,
): Promise<{ stop(): Promise<void> }> {
  const { MetricsServer } = await import('./metrics-server.ts');
  const workers = new Map([
    ...(metadata === undefined ? [] : [['meta', () => metadata.workers()] as const]),
    ...(data === undefined ? [] : [['data', () => data.workers()] as const]),
  ]);
  const source = {
    workers,
    ...(blocks && { usage: () => blocks.usage() }),
    ...(data && { scrub: () => data.scrub() }),
    ...(metadata && {
      keeper: () => metadata.keeper(),
      raft: () => ({ ...metadata.status(), applied: metadata.appliedIndex, isLeader: metadata.isLeader }),
    }),
  };
  return MetricsServer.start(source, listen);
}
