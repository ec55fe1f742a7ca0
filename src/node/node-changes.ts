/** @module What `node start` may change about a node: some of it for this run, the rest from now on. */
import { roleNotGranted } from './errors.ts';
import { checkAnnounced, fixPorts } from './listen-address.ts';
import type { NodeConfig, NodeRole } from './node-config.ts';

export interface NodeChanges {
  /** Run only these of the roles the node joined with; this time. */
  readonly roles?: readonly string[];
  /** Start though the blocks it held are gone; this time. */
  readonly blocksLost?: boolean;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly upnp?: boolean;
  readonly mdns?: boolean;
  readonly host?: string;
  readonly hostGroup?: string;
  readonly zone?: string;
  readonly capacityBytes?: number;
  readonly metadataCacheBytes?: number;
  readonly indexMemoryBytes?: number;
  readonly indexDiskBytes?: number;
  readonly snapshotBytesPerSecond?: number;
}

/** Errors: NODE_INVALID_ADDRESS, NODE_PORT_IN_USE. */
export async function changedConfig(config: NodeConfig, changes: NodeChanges): Promise<NodeConfig> {
  const {
    listen,
    announce,
    upnp,
    mdns,
    host,
    hostGroup,
    zone,
    capacityBytes,
    metadataCacheBytes,
    indexMemoryBytes,
    indexDiskBytes,
    snapshotBytesPerSecond,
  } = changes;
  return {
    ...config,
    ...(listen === undefined ? {} : { listen: await fixPorts(listen) }),
    ...(announce === undefined ? {} : { announce: checkAnnounced(announce) }),
    ...(upnp === undefined ? {} : { upnp }),
    ...(mdns === undefined ? {} : { mdns }),
    ...(host === undefined ? {} : { host }),
    ...(hostGroup === undefined ? {} : { hostGroup }),
    ...(zone === undefined ? {} : { zone }),
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    ...(metadataCacheBytes === undefined ? {} : { metadataCacheBytes }),
    ...(indexMemoryBytes === undefined ? {} : { indexMemoryBytes }),
    ...(indexDiskBytes === undefined ? {} : { indexDiskBytes }),
    ...(snapshotBytesPerSecond === undefined ? {} : { snapshotBytesPerSecond }),
  };
}

/** Errors: NODE_ROLE_NOT_GRANTED. */
export function rolesToRun(config: NodeConfig, wanted: readonly string[] | undefined): readonly NodeRole[] {
  if (wanted === undefined) return config.roles;
  const foreign = wanted.find((role) => !config.roles.some((granted) => granted === role));
  if (foreign !== undefined || wanted.length === 0) throw roleNotGranted(foreign ?? '', config.roles);
  return config.roles.filter((role) => wanted.includes(role));
}
