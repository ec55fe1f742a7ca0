/** @module What callers may say to the client, and what they get back. */
import type { ListEntry, Stat } from '../namespace/schema.ts';
import type { Holder, LocatedBlock } from '../protocol/messages.ts';
import type { OnProgress } from './progress.ts';

export interface OperationOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends OperationOptions {
  /** Answer from whatever the asked metadata node has, even without a quorum; may be out of date. */
  readonly stale?: boolean | undefined;
}

export interface StatOptions extends ReadOptions {
  /** Of the symbolic link itself, if there is one. */
  readonly noFollow?: boolean | undefined;
}

/** What is absent stays as it is. */
export interface AttributeChange {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Permission bits, 0 to 0o7777. Stored and shown, enforced by nobody yet. */
  readonly mode?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly mtimeMs?: number | undefined;
}

export interface AttributeOptions extends OperationOptions {
  /** Change the symbolic link itself, if there is one. */
  readonly noFollow?: boolean | undefined;
}

/** A whole byte string, which must not change until it is stored, or chunks in order: each is copied before the next is asked for. */
export type PutSource = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Which copies of a block must be durable and announced before it counts as written. `all`: as many as asked for, or the
 * write fails. `quorum`: two; `one`: one. What is missing then is made by the cluster, and shown as at risk until it is.
 * When absent: as many as asked for, where that can be done in time, and two where it cannot.
 */
export type AckMode = 'all' | 'quorum' | 'one';

export interface PutOptions extends OperationOptions {
  /**
   * Expected size, for progress, for placing ahead, and for refusing at once what needs larger blocks. A hint: what the source
   * yields is what is stored.
   */
  readonly sizeBytes?: number | undefined;
  /** Copies of each block; when absent what the nearest directory above says, or the cluster. */
  readonly replication?: number | undefined;
  /** 64 KiB .. 128 MiB; the cluster's default when absent. */
  readonly blockSizeBytes?: number | undefined;
  /** Refuse with NAMESPACE_EXISTS when something is at the path. */
  readonly ifAbsent?: boolean | undefined;
  /** Refuse with NAMESPACE_VERSION_MISMATCH unless the file has this version. */
  readonly ifVersion?: number | undefined;
  /** Make missing parent directories. */
  readonly parents?: boolean | undefined;
  /** Modification time, milliseconds since the epoch; the cluster's clock when absent. */
  readonly mtimeMs?: number | undefined;
  /** Permission bits; when absent those of the file that is replaced, or the default. */
  readonly mode?: number | undefined;
  /** Which copies are waited for; see AckMode. */
  readonly ack?: AckMode | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface AppendOptions extends OperationOptions {
  /** Expected size of what is appended: a hint, as with put. */
  readonly sizeBytes?: number | undefined;
  /** Refuse with NAMESPACE_VERSION_MISMATCH unless the file has this version. */
  readonly ifVersion?: number | undefined;
  /** Make missing parent directories of a file that is not there yet. */
  readonly parents?: boolean | undefined;
  /** Modification time, milliseconds since the epoch; the cluster's clock when absent. */
  readonly mtimeMs?: number | undefined;
  /** As with put. */
  readonly ack?: AckMode | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface PutResult {
  readonly stat: Stat;
  /** Blocks that have fewer copies than asked for, though enough to be safe. */
  readonly underReplicatedBlocks: number;
  /** The fewest copies any block has now; the replication asked for when there is no block. */
  readonly copies: number;
}

export interface GetOptions extends ReadOptions {
  /** First byte wanted, from 0. */
  readonly offset?: number | undefined;
  /** How many bytes at most; to the end when absent. */
  readonly length?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  /**
   * A piece is valid only until the next one is asked for: then its memory may be given back. For readers who have written it out,
   * or looked at it, by then: collecting it as garbage takes an eighth of the time that reading takes.
   */
  readonly transient?: boolean | undefined;
}

export interface GetResult {
  readonly stat: Stat;
  /** In order; every byte verified against its block's SHA-256 before it is yielded. Iterate once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface MakeDirectoryOptions extends OperationOptions {
  /** Make missing parents; no complaint when the directory is there. */
  readonly parents?: boolean | undefined;
}

export interface MoveOptions extends OperationOptions {
  /** Refuse with NAMESPACE_EXISTS rather than replace a file. */
  readonly noClobber?: boolean | undefined;
}

export interface RemovalOptions extends OperationOptions {
  /** Also when a quorum or the last copies of blocks would be lost. */
  readonly force?: boolean;
  /** Only say what would be lost. */
  readonly dryRun?: boolean;
}

export interface ClusterSettings {
  /** Metadata nodes that vote: 3 or 5. */
  readonly voters?: number;
  /** Silence after which a waiting learner takes a voter's place, in milliseconds. */
  readonly voterReplacementMs?: number;
  /** Silence after which a datanode is avoided, in milliseconds. */
  readonly suspectAfterMs?: number;
  /** Silence after which a datanode's copies are made again elsewhere, in milliseconds. */
  readonly deadAfterMs?: number;
  /** Of the copies that are moved to where there is more room, in bytes per second, all together. */
  readonly balanceBytesPerSecond?: number;
  /** Between backups of the namespace, in milliseconds. */
  readonly backupPeriodMs?: number;
  /** How many of them are kept, the newest. */
  readonly backupsKept?: number;
}

export interface TouchOptions extends OperationOptions {
  /** Milliseconds since the epoch; the cluster's clock when absent. */
  readonly mtimeMs?: number | undefined;
}

/** An entry of a walk: `path` is absolute. */
export interface WalkEntry {
  readonly path: string;
  readonly stat: Stat;
}

export interface Usage {
  readonly files: number;
  readonly directories: number;
  /** Sum of the files' sizes. */
  readonly logicalBytes: number;
  /** Sum of size times wanted copies; blocks shared between files count for each. */
  readonly wantedBytes: number;
}

export interface FileLocation {
  readonly stat: Stat;
  readonly blocks: readonly LocatedBlock[];
  /** Every datanode that a block names, once. */
  readonly holders: readonly Holder[];
}

export interface NewToken {
  readonly roles: readonly string[];
  /** How often it may be used; 1 when neither is given. */
  readonly uses?: number | undefined;
  readonly unlimited?: boolean | undefined;
  readonly lifetimeMs: number;
}

export type { ListEntry, Stat };
