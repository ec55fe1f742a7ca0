/** @module Whom a node knows when it starts: what peers.json has, before what node.json was left with by an older release or a join. */
import type { Logger } from '../common/logger.ts';
import type { DataDirectory } from './data-directory.ts';
import type { BootstrapPeer, NodeConfig } from './node-config.ts';
import { loadPeers, mergedPeers } from './peer-book.ts';

export interface RememberedNodes {
  /** Metadata nodes to begin with, those last heard of first. */
  readonly bootstrap: readonly BootstrapPeer[];
  /** Datanodes: they may know where the metadata nodes are now. */
  readonly datanodes: readonly BootstrapPeer[];
}

/**
 * Reads peers.json, and brings node.json up to date with it: what that names is as old as the node, and whoever has only that
 * file left (a damaged book, an operator who reads it) should not be sent to where the metadata nodes were years ago.
 */
export async function recallNodes(
  directory: DataDirectory,
  config: NodeConfig,
  logger: Logger,
): Promise<RememberedNodes> {
  const remembered = (await loadPeers(directory.peersFile, logger)) ?? [];
  const metadata = remembered.filter(({ isDatanode }) => isDatanode !== true);
  const datanodes = remembered.filter(({ isDatanode }) => isDatanode === true);
  if (metadata.length > 0 && JSON.stringify(metadata) !== JSON.stringify(config.bootstrap))
    await directory.saveConfig({ ...config, bootstrap: metadata });
  return { bootstrap: mergedPeers(metadata, config.bootstrap), datanodes };
}
