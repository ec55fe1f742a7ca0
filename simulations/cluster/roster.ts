/** @module Who belongs to a simulated cluster, for those who make faults happen to it. */
import type { Client } from '../../src/client/client.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { ClientProcess } from './client-process.ts';
import type { DataProcess } from './data-process.ts';
import type { Process } from './fault-actions.ts';
import type { MetadataProcess } from './metadata-process.ts';

/** The cluster, as far as faults need to know it. */
export interface Roster {
  nodes(): readonly MetadataProcess[];
  running(): readonly MetadataProcess[];
  datanodes(): readonly DataProcess[];
  /** All but the administrator. */
  clients(): readonly ClientProcess[];
  leader(): MetadataProcess | undefined;
  /** Of nodes, clients and datanodes. */
  peers(): readonly PeerId[];
  /** Of the metadata nodes that were not removed. */
  nodePeers(): readonly PeerId[];
  /** Unless there are enough. */
  addNode(): void;
  /** Removed, or come back as another. */
  isGone(process: Process): boolean;
  /** Unless it is gone meanwhile. */
  startLater(process: Process, afterMs: number): void;
  /** Who administers the cluster; undefined before there is one. */
  readonly admin: { readonly actor: { readonly client: Client } } | undefined;
}
