/** @module Every bound of the namespace. They are part of the replicated state's meaning: all nodes must agree. */
import { KIB, MIB } from '../common/bytes.ts';

/** Inode number of `/`. */
export const ROOT_INODE = 1;

export const MAX_NAME_BYTES = 255;
export const MAX_PATH_BYTES = 4096;
/**
 * Directories within each other, for what is made or moved. What lies below a directory that is moved may come to lie
 * deeper: it can be moved back, and removed with the directory, but not addressed by paths over MAX_PATH_BYTES.
 */
export const MAX_DEPTH = 512;
/** Symbolic links followed on one path; as Linux has it. */
export const MAX_LINKS = 40;
export const MAX_LINK_TARGET_BYTES: number = MAX_PATH_BYTES;
/** Names of users and groups. */
export const MAX_OWNER_BYTES = 255;
export const MAX_MODE = 0o7777;

/** Blocks per row of table `extent`: some 2.5 KiB a row, which an append rewrites. */
export const EXTENT_PAGE_BLOCKS = 64;
/** That one command brings, copies or looks through: some 20 ms, in which nothing else happens on a metadata node. */
export const MAX_BLOCKS_PER_COMMAND = 1024;
/** What goes through a whole file does so in steps; this bounds how many there are. See maxFileBlocks for lower levels. */
export const MAX_FILE_BLOCKS: number = 2 ** 20;
/** Below feature level 3, where copying a file and setting its replication are one step each, however large it is. */
const MAX_FILE_BLOCKS_IN_ONE_STEP = 65_536;
/** Closing an append moves the pages of what was appended in one step; it does not touch their blocks. */
export const MAX_APPENDED_BLOCKS = 65_536;
/** Short blocks at the end of a file that was appended to; the SDK keeps them far fewer, see append-plan.ts. */
export const MAX_TAIL_BLOCKS = 32;
export const MIN_BLOCK_SIZE_BYTES: number = 64 * KIB;
export const MAX_BLOCK_SIZE_BYTES: number = 128 * MIB;
export const DEFAULT_BLOCK_SIZE_BYTES: number = 8 * MIB;
export const DEFAULT_REPLICATION = 3;
export const MAX_REPLICATION = 16;

export const DEFAULT_LEASE_MS = 60_000;
export const MIN_LEASE_MS = 1_000;
export const MAX_LEASE_MS = 3_600_000;

/** A session nobody used for this long is forgotten, and its stored results with it. */
export const SESSION_IDLE_MS = 3_600_000;
export const MAX_SESSIONS = 1_000_000;
/** Answers kept per session until the client acknowledges them. */
export const MAX_SESSION_RESULTS = 1024;
export const MAX_SESSION_ID_LENGTH = 64;

export const MAX_MEMBERS = 65_536;
export const MAX_TOKENS = 1024;
/** Peers a token remembers, so that a retried join is answered; the oldest are forgotten first. */
export const MAX_TOKEN_USERS = 1024;

/** Entries of one page of a directory: a thousand and their inodes would hold up everybody else for 20 ms and more. */
export const MAX_LIST_ENTRIES = 250;
export const MAX_SCAN_BLOCKS = 10_000;

/** Units of work of one Housekeeping: a block freed or replicated, an entry detached or a deadline looked at is one. */
export const DEFAULT_HOUSEKEEPING_LIMIT = 256;
export const MAX_HOUSEKEEPING_LIMIT = 4096;
/** Directories emptied by one Housekeeping: each costs a scan of its own. */
export const MAX_HOUSEKEEPING_DIRECTORIES = 16;

/** How many metadata nodes may vote; further ones stay learners. */
export const VOTER_COUNTS: readonly number[] = [3, 5];
export const DEFAULT_VOTERS = 3;
/** Silence after which a waiting learner takes a voter's place, in milliseconds: longer than a restart of its machine. */
export const DEFAULT_VOTER_REPLACEMENT_MS: number = 5 * 60_000;
export const MIN_VOTER_REPLACEMENT_MS = 5_000;
export const MAX_VOTER_REPLACEMENT_MS: number = 7 * 24 * 3_600_000;
/** Silence after which a datanode is `suspect`, in milliseconds: three missed heartbeats of 3 s and a little. */
export const DEFAULT_SUSPECT_AFTER_MS = 10_000;
/** Silence after which it is `dead`: its copies are made again from the others. */
export const DEFAULT_DEAD_AFTER_MS = 30_000;
export const MIN_SUSPECT_AFTER_MS = 500;
export const MAX_DEAD_AFTER_MS: number = 24 * 3_600_000;
/** Of the copies that are moved to where there is more room, all together. */
export const DEFAULT_BALANCE_BYTES_PER_SECOND: number = 32 * MIB;
export const MIN_BALANCE_BYTES_PER_SECOND: number = 64 * KIB;
/** Between backups of the namespace, made when something has changed. */
export const DEFAULT_BACKUP_PERIOD_MS = 3_600_000;
export const MIN_BACKUP_PERIOD_MS = 10_000;
export const MAX_BACKUP_PERIOD_MS: number = 30 * 24 * 3_600_000;
export const DEFAULT_BACKUPS_KEPT = 8;
export const MAX_BACKUPS_KEPT = 1_000;
/** Inodes and versions that entries lost with a majority may have given out. */
export const RECOVERY_NUMBER_GAP: number = 2 ** 24;
/** Members that entries lost with a majority may have admitted. */
export const RECOVERY_MEMBER_GAP = 64;

/** Shortest length of an era, by the leader's monotonic clock: above every lease, so that no writer who still has one is too slow. */
export const DEFAULT_ERA_MS: number = MAX_LEASE_MS;
export const MIN_ERA_MS = 100;
export const MAX_ERA_MS: number = 7 * 24 * 3_600_000;
/** From quarantine to deletion. */
export const DEFAULT_GRACE_MS: number = 24 * 3_600_000;
export const MIN_GRACE_MS = 100;
export const MAX_GRACE_MS: number = 365 * 24 * 3_600_000;
/** Eras that entries lost with a majority may have begun. */
export const RECOVERY_ERA_GAP = 1_024;
/** Rows of table `garbage`, which only level 1 writes, that one BeginEra removes. */
export const MAX_FORGOTTEN_GARBAGE = 1_000;

/** Blocks that a file may have in a cluster of this feature level. */
export function maxFileBlocks(featureLevel: number): number {
  return featureLevel >= 3 ? MAX_FILE_BLOCKS : MAX_FILE_BLOCKS_IN_ONE_STEP;
}
