/** @module node.json: who this node is, in which cluster, and where it listens. */
import { readFile } from 'node:fs/promises';
import { configDamaged, systemCode } from './errors.ts';
import { writeDurably } from './durable-file.ts';

/** What a process can do. Clients have a role too, but no process of their own. */
export const NODE_ROLES = ['meta', 'data'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** A node to start from, a metadata node when nothing else is said: its member number, peer id and full multiaddrs. */
export interface BootstrapPeer {
  readonly number: number;
  readonly peer: string;
  readonly addresses: readonly string[];
  /** In peers.json: no metadata node, but it may know where those are. */
  readonly isDatanode?: boolean;
}

export interface NodeConfig {
  readonly format: 1;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly epoch: number;
  /** The member number: raft node id and datanode number. */
  readonly number: number;
  readonly peer: string;
  readonly name: string;
  readonly roles: readonly NodeRole[];
  /** The machine, for spreading copies. */
  readonly host: string;
  /** Machines that fail together with it, and where it stands. */
  readonly hostGroup?: string;
  readonly zone?: string;
  /** Multiaddrs without /p2p, ports never 0. */
  readonly listen: readonly string[];
  /** Multiaddrs others shall dial instead; empty: those of `listen`. */
  readonly announce: readonly string[];
  readonly bootstrap: readonly BootstrapPeer[];
  /** False: the router is never asked to open a port. */
  readonly upnp?: boolean;
  /** True: look for nodes of the cluster in the local network by multicast, and answer them. */
  readonly mdns?: boolean;
  /** Bytes of blocks to hold at most; absent: what the disk has. */
  readonly capacityBytes?: number;
  /** Memory for rows of the namespace, in bytes; absent: DEFAULT_CACHE_SIZE_BYTES. */
  readonly metadataCacheBytes?: number;
  /** Memory for the location index, in bytes; absent: defaultIndexBytes(). */
  readonly indexMemoryBytes?: number;
  /** Disk for what of it does not fit there, in bytes; absent: defaultIndexDiskBytes() of its memory. */
  readonly indexDiskBytes?: number;
  /** Bytes per second of the snapshots it sends; absent: DEFAULT_MAX_SNAPSHOT_BYTES_PER_SECOND. */
  readonly snapshotBytesPerSecond?: number;
  /** Set by `cluster leave`: the number is gone for good. */
  readonly left?: boolean;
}

/** Reads the file; undefined where there is none. Errors: NODE_CONFIG_DAMAGED. */
export async function loadNodeConfig(file: string): Promise<NodeConfig | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw configDamaged(file, systemCode(error));
  }
  return parseNodeConfig(file, text);
}

export async function saveNodeConfig(file: string, config: NodeConfig): Promise<void> {
  await writeDurably(file, `${JSON.stringify(config, undefined, 2)}\n`);
}

function parseNodeConfig(file: string, text: string): NodeConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw configDamaged(file, systemCode(error));
  }
  if (!isNodeConfig(value)) throw configDamaged(file, 'fields are missing or of the wrong type');
  return value;
}

function isNodeConfig(value: unknown): value is NodeConfig {
  if (typeof value !== 'object' || value === null) return false;
  const config = value as Partial<Record<keyof NodeConfig, unknown>>;
  return (
    config.format === 1 &&
    [config.clusterId, config.clusterName, config.peer, config.name, config.host].every(isText) &&
    isCount(config.epoch) &&
    isCount(config.number) &&
    config.number > 0 &&
    isListOf(config.roles, isNodeRole) &&
    isListOf(config.listen, isText) &&
    isListOf(config.announce, isText) &&
    isListOf(config.bootstrap, isBootstrapPeer) &&
    [
      config.capacityBytes,
      config.metadataCacheBytes,
      config.indexMemoryBytes,
      config.indexDiskBytes,
      config.snapshotBytesPerSecond,
    ].every((size) => size === undefined || isCount(size)) &&
    [config.zone, config.hostGroup].every((text) => text === undefined || isText(text)) &&
    [config.left, config.upnp, config.mdns].every((flag) => flag === undefined || typeof flag === 'boolean')
  );
}

export function isNodeRole(value: unknown): value is NodeRole {
  return NODE_ROLES.some((role) => role === value);
}

export function isBootstrapPeer(value: unknown): value is BootstrapPeer {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Partial<Record<keyof BootstrapPeer, unknown>>;
  return (
    isCount(entry.number) &&
    isText(entry.peer) &&
    isListOf(entry.addresses, isText) &&
    (entry.isDatanode === undefined || typeof entry.isDatanode === 'boolean')
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every((item) => isItem(item));
}
